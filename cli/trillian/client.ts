import { fileURLToPath } from "node:url";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

/** A Trillian tree as it comes over gRPC. `treeId` is a decimal int64, hence a string. */
export interface Tree {
  treeId: string;
  treeState: string;
  treeType: string;
  displayName: string;
  description: string;
}

/** A call that failed, with the gRPC status code that decides whether to try again. */
export type TrillianError = grpc.ServiceError;

/** What this program asks of a Trillian log server. Errors: {@link TrillianError}. */
export interface Trillian {
  listTrees(): Promise<Tree[]>;
  /** An ACTIVE tree of type LOG with no forced new roots. */
  createLogTree(tree: { displayName: string; description: string }): Promise<Tree>;
  initLog(treeId: string): Promise<void>;
  close(): void;
}

const definition = loadSync(fileURLToPath(new URL("trillian.proto", import.meta.url)), {
  longs: String,
  enums: String,
  defaults: true,
});

const services = grpc.loadPackageDefinition(definition) as unknown as {
  trillian: {
    TrillianAdmin: grpc.ServiceClientConstructor;
    TrillianLog: grpc.ServiceClientConstructor;
  };
};

/** The service definitions, for a server that speaks the same protocol. */
export const trillianServices = {
  admin: services.trillian.TrillianAdmin.service,
  log: services.trillian.TrillianLog.service,
};

/** A client of the log server at `address` ("host:port", plain text); each call has a deadline. */
export function connect(address: string, callLimitMs = 10_000): Trillian {
  const credentials = grpc.credentials.createInsecure();
  // A proxy of the environment must not stand between us and a cluster's own address.
  const options = { "grpc.enable_http_proxy": 0, "grpc.max_reconnect_backoff_ms": 1_000 };
  const admin = new services.trillian.TrillianAdmin(address, credentials, options);
  const log = new services.trillian.TrillianLog(address, credentials, options);
  return {
    listTrees: async () => (await call<{ tree: Tree[] }>(admin, "ListTrees", {}, callLimitMs)).tree,
    createLogTree: (names) =>
      call<Tree>(
        admin,
        "CreateTree",
        { tree: { ...names, treeState: "ACTIVE", treeType: "LOG", maxRootDuration: {} } },
        callLimitMs,
      ),
    initLog: async (treeId) => {
      await call(log, "InitLog", { logId: treeId }, callLimitMs);
    },
    close: () => {
      admin.close();
      log.close();
    },
  };
}

type Method = (
  request: object,
  options: grpc.CallOptions,
  callback: (error: grpc.ServiceError | null, reply: unknown) => void,
) => void;

function call<Reply>(
  client: grpc.Client,
  name: string,
  request: object,
  limitMs: number,
): Promise<Reply> {
  const method = (client as unknown as Record<string, Method>)[name];
  if (method === undefined) throw new Error(`trillian.proto has no method ${name}`);
  return new Promise((resolve, reject) => {
    method.call(client, request, { deadline: Date.now() + limitMs }, (error, reply) => {
      if (error) reject(error);
      else resolve(reply as Reply);
    });
  });
}
