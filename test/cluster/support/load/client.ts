import { readFile, writeFile } from "node:fs/promises";
import { as, Cosign } from "../cosign.ts";
import { cachedToken, type Identity } from "../identity.ts";
import { SigstoreJs } from "../js.ts";
import type { StackOutputs } from "../../../../infra/outputs.ts";
import { readSigned, type SignedFile } from "./bundles.ts";
import type { ClientName } from "./operation.ts";

/** Where a client works: all that the worker threads are told. */
export interface ClientArgs {
  client: ClientName;
  outputs: StackOutputs;
  /** The cosign program. */
  cosign: string;
  identity: Identity;
}

/** What a worker does again and again; a failure is an exception. */
export interface LoadClient {
  /** Signs, and verifies what it signed; returns the bundle. */
  sign(blob: Buffer): Promise<string>;
  verify(signed: SignedFile): Promise<void>;
  /** The folder of the TUF client's cache. */
  cache: string;
  dispose(): Promise<void>;
}

/** A request, and a run of cosign, that takes longer has failed; in ms. */
const requestLimit = 10_000;
const runLimit = 30_000;

export function openClient(args: ClientArgs): Promise<LoadClient> {
  return args.client === "cosign" ? openCosign(args) : openJs(args);
}

/** In this thread, without any retry: one request that fails is one failure counted. */
async function openJs({ outputs, identity }: ClientArgs): Promise<LoadClient> {
  const js = await SigstoreJs.start(
    { outputs },
    { token: cachedToken(outputs), requests: { retry: 0, timeout: requestLimit } },
  );
  return {
    sign: (blob) => js.signAndVerify(blob, identity),
    verify: (files) => {
      const { blob, bundle } = readSigned(files);
      return js.verify(blob, bundle, identity);
    },
    cache: js.cache,
    dispose: () => js.dispose(),
  };
}

/**
 * A process for each run. cosign verifies what it signed by itself, and asks Fulcio and Rekor a
 * second time when the first answer is bad ("giving up after 2 attempt(s)"), which cannot be
 * turned off: a failure here is a command that failed for its user.
 */
async function openCosign({ outputs, cosign: program, identity }: ClientArgs): Promise<LoadClient> {
  const cosign = await Cosign.initialize(
    { cosign: program, outputs },
    { token: cachedToken(outputs), limitMs: runLimit },
  );
  return {
    sign: async (blob) => {
      await writeFile(cosign.path("blob"), blob);
      await cosign.sign("sign-blob", "blob", "--bundle", "bundle.json");
      return readFile(cosign.path("bundle.json"), "utf8");
    },
    verify: async ({ blob, bundle }) => {
      const args = ["verify-blob", blob, "--bundle", bundle, ...as(identity)];
      const { code, stderr } = await cosign.run(...args);
      if (code !== 0) throw new Error(stderr);
    },
    cache: cosign.cache,
    dispose: () => cosign.dispose(),
  };
}
