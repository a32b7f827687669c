import * as grpc from "@grpc/grpc-js";
import { trillianServices, type Tree } from "../../cli/trillian/client.ts";

type Call<Request> = grpc.ServerUnaryCall<Request, unknown>;
type Reply = grpc.sendUnaryData<unknown>;

/** What a Trillian database holds. */
export interface TrillianDump {
  trees: readonly Tree[];
  initialised: readonly string[];
}

/**
 * A stand-in for a Trillian log server: the same gRPC methods over the same wire format, trees in
 * memory. It can be told to misbehave in the ways that matter to a caller that must not make a
 * tree twice.
 */
export class TrillianStandIn {
  readonly trees: Tree[] = [];
  readonly initialised = new Set<string>();
  readonly calls: string[] = [];
  /** The next calls of this method fail with this status, before they do anything. */
  readonly refuse: { method: string; code: grpc.status; times: number }[] = [];
  /** So many CreateTree or InitLog calls do their work and then lose the reply. */
  loseReplies = 0;
  /** Called when a tree has been made or initialised and the reply is not yet sent. */
  worked: (method: "CreateTree" | "InitLog", tree: Tree) => void = () => undefined;
  private readonly server = new grpc.Server();
  private nextId = 6_370_450_000_000_000_001n;

  /** Listens on 127.0.0.1 and returns "host:port". Port 0 means any free one. */
  async listen(port = 0): Promise<string> {
    this.server.addService(trillianServices.admin, {
      ListTrees: this.method("ListTrees", () => ({ tree: this.trees })),
      CreateTree: this.method("CreateTree", (request: { tree: Tree }) => this.create(request.tree)),
    });
    this.server.addService(trillianServices.log, {
      InitLog: this.method("InitLog", (request: { logId: string }) => this.init(request.logId)),
    });
    const bound = await new Promise<number>((resolve, reject) => {
      this.server.bindAsync(
        `127.0.0.1:${port}`,
        grpc.ServerCredentials.createInsecure(),
        (error, number) => (error ? reject(error) : resolve(number)),
      );
    });
    return `127.0.0.1:${bound}`;
  }

  close(): void {
    this.server.forceShutdown();
  }

  /** A copy of what the database holds. */
  dump(): TrillianDump {
    return { trees: [...this.trees], initialised: [...this.initialised] };
  }

  /** The database from an earlier copy; ids are never given twice all the same. */
  load({ trees, initialised }: TrillianDump): void {
    this.trees.splice(0, Infinity, ...trees);
    const after = trees.map(({ treeId }) => BigInt(treeId) + 1n);
    for (const id of after) if (id > this.nextId) this.nextId = id;
    this.initialised.clear();
    for (const treeId of initialised) this.initialised.add(treeId);
  }

  private method<Request>(name: string, work: (request: Request) => unknown) {
    return (call: Call<Request>, reply: Reply) => {
      this.calls.push(name);
      const refusal = this.refuse.find((entry) => entry.method === name && entry.times > 0);
      if (refusal) {
        refusal.times -= 1;
        reply({ code: refusal.code, details: "told to fail" });
        return;
      }
      try {
        const result = work(call.request);
        const lost = name !== "ListTrees" && this.loseReplies-- > 0;
        reply(lost ? { code: grpc.status.UNAVAILABLE, details: "reply lost" } : null, result);
      } catch (error) {
        reply(error as grpc.ServiceError);
      }
    };
  }

  private create(tree: Tree & { maxRootDuration?: unknown }): Tree {
    if (!tree.maxRootDuration) throw failure(grpc.status.INVALID_ARGUMENT, "max_root_duration");
    if (tree.displayName.length > 20) {
      throw failure(grpc.status.UNKNOWN, "Data too long for column 'DisplayName'");
    }
    const made = { ...tree, treeId: String(this.nextId++) };
    this.trees.push(made);
    this.worked("CreateTree", made);
    return made;
  }

  private init(treeId: string): object {
    const tree = this.trees.find((candidate) => candidate.treeId === treeId);
    if (tree === undefined) throw failure(grpc.status.NOT_FOUND, `tree ${treeId} not found`);
    if (this.initialised.has(treeId)) {
      throw failure(grpc.status.ALREADY_EXISTS, "log is already initialised");
    }
    this.initialised.add(treeId);
    this.worked("InitLog", tree);
    return {};
  }
}

function failure(code: grpc.status, details: string): Error {
  return Object.assign(new Error(details), { code, details });
}
