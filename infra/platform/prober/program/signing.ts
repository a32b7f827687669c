import { createHash, randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Bundle } from "@sigstore/bundle";
import type { TrustedRoot } from "@sigstore/protobuf-specs";
import {
  FulcioSigner,
  MessageSignatureBundleBuilder,
  RekorWitness,
  TSAWitness,
} from "@sigstore/sign";
import { toSignedEntity } from "@sigstore/verify";
import * as z from "zod";
import { evidenceOf } from "../../../observe/evidence.ts";
import { accepts, strictVerifier } from "../../../observe/verifier.ts";
import type { Settings } from "./settings.ts";

/** What was signed, and the bundle. */
export interface Signed {
  artifact: Buffer;
  bundle: Bundle;
  /** Who issued the token. */
  issuer: string;
}

/** Of each request. */
const patience = { timeout: 10_000, retry: 0 };

/** Signs random bytes as cosign does: a certificate, an entry in Rekor, a timestamp. */
export async function sign(
  { fulcio, rekor, tsa }: Pick<Settings, "fulcio" | "rekor" | "tsa">,
  token: string,
): Promise<Signed> {
  const identityProvider = { getToken: () => Promise.resolve(token) };
  const builder = new MessageSignatureBundleBuilder({
    signer: new FulcioSigner({ fulcioBaseURL: fulcio, identityProvider, ...patience }),
    witnesses: [
      new RekorWitness({ rekorBaseURL: rekor, ...patience }),
      new TSAWitness({ tsaBaseURL: tsa, ...patience }),
    ],
  });
  const artifact = randomBytes(64);
  return { artifact, bundle: await builder.create({ data: artifact }), issuer: issuerOf(token) };
}

function issuerOf(token: string): string {
  const claims = Buffer.from(token.split(".")[1] ?? "", "base64url").toString();
  return z.object({ iss: z.string() }).parse(JSON.parse(claims)).iss;
}

/**
 * Verifies it as a client does that trusts what the mirror publishes, and sees that the same bundle
 * does not verify other bytes. @throws {Error} with the reason of the refusal
 */
export function verify(
  { artifact, bundle, issuer }: Signed,
  trust: TrustedRoot,
  identity: string,
): void {
  const evidence = evidenceOf(bundle);
  for (const kind of ["scts", "proofs", "timestamps"] as const)
    if (evidence[kind].length === 0) throw new Error(`the bundle has no ${kind}`);
  const verifier = strictVerifier(trust);
  const signer = verifier.verify(toSignedEntity(bundle, artifact), { extensions: { issuer } });
  const name = signer.identity?.subjectAlternativeName ?? "";
  if (name !== identity) throw new Error(`the certificate names "${name}", not "${identity}"`);
  const changed = Buffer.concat([artifact, Buffer.from("x")]);
  if (accepts(verifier, toSignedEntity(bundle, changed)))
    throw new Error("other bytes verify as well");
}

/** Rekor puts an entry into the index after it has answered: how often to ask, and how fast. */
const indexing = { tries: 10, milliseconds: 500 };

/** Finds the entry by the hash of what was signed. @throws {Error} when the index has it not */
export async function search(rekor: string, artifact: Buffer, signal: AbortSignal): Promise<void> {
  const hash = createHash("sha256").update(artifact).digest("hex");
  for (let tries = 1; tries <= indexing.tries; tries += 1) {
    const answer = await fetch(`${rekor}/api/v1/index/retrieve`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify({ hash: `sha256:${hash}` }),
      signal,
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`the search: HTTP ${answer.status} ${text.slice(0, 200)}`);
    if (z.array(z.string()).parse(JSON.parse(text)).length > 0) return;
    await sleep(indexing.milliseconds, undefined, { signal });
  }
  throw new Error("the search index has not the entry that was made");
}
