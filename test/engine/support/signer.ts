import { createPublicKey, verify, X509Certificate } from "node:crypto";
import {
  SigningConfig,
  TrustedRoot,
  type CertificateAuthority,
  type TimeRange,
  type TransparencyLogInstance,
} from "@sigstore/protobuf-specs";
import { splitPem } from "../../../cli/verify/certificates.ts";
import { parseNote, verifyCheckpoint } from "../../../infra/observe/checkpoint.ts";
import { digitallySigned } from "../../../infra/observe/sth.ts";
import { walk, type Accepted } from "./mirrorClient.ts";
import type { Endpoint, Served } from "./served.ts";
import type { SigningCert } from "./served/authorities.ts";
import { certificateInput } from "./served/ctServer.ts";
import type { Service } from "./served/http.ts";

/** What came of an attempt to sign. */
export type Signing =
  | { result: "signed" }
  /** A service that the client needs does not answer: not deployed yet, or down. */
  | { result: "unreachable"; reason: string }
  /** All answer, and something is not trusted: what the client prints. */
  | { result: "refused"; reason: string };

class Unreachable extends Error {}

/**
 * Signs and verifies as a client does that knows the mirror's URL and its first root, with every
 * Ready pod of every service in turn: a client may meet any of them. Real keys and certificates
 * sign; what is checked is that nothing signs which is not trusted already.
 */
export async function trySign(served: Served, mirrorUrl: string): Promise<Signing> {
  try {
    for (const { service } of reached(served, mirrorUrl))
      await signWith(served, walk(service, new Date()));
    return { result: "signed" };
  } catch (error) {
    const { message: reason } = error as Error;
    return { result: error instanceof Unreachable ? "unreachable" : "refused", reason };
  }
}

async function signWith(served: Served, mirror: Accepted): Promise<void> {
  const root = TrustedRoot.fromJSON(JSON.parse(mirror.target("trusted_root.json")));
  const services = SigningConfig.fromJSON(JSON.parse(mirror.target("signing_config.v0.2.json")));
  for (const { service } of reached(served, only(services.caUrls)))
    await certificate(service, root);
  for (const { service } of reached(served, only(services.tsaUrls))) timestamp(service, root);
  for (const { service } of reached(served, only(services.rekorTlogUrls)))
    await entry(service, root);
}

function only(services: readonly { url: string }[]): string {
  const [service] = services;
  if (service === undefined) throw new Error("signing config: no service");
  return service.url;
}

function reached(served: Served, url: string): Endpoint[] {
  const endpoints = served.endpoints(url);
  if (endpoints.length === 0) throw new Unreachable(`${url}: connection refused`);
  return endpoints;
}

/** Fulcio's certificate must come from a trusted CA, its timestamps from trusted CT logs. */
async function certificate(fulcio: Service, root: TrustedRoot): Promise<void> {
  const answer = await fulcio.post("/api/v2/signingCert", Buffer.alloc(0));
  const body = JSON.parse(String(answer.body)) as SigningCert & { message?: string };
  if (answer.status !== 200) throw new Error(body.message);
  const now = new Date();
  const [leaf, ...chain] = body.chain.map((pem) => new X509Certificate(pem));
  const trusted = root.certificateAuthorities.some(
    (ca) => open(ca.validFor, now) && sameChain(ca, chain),
  );
  if (leaf === undefined || !trusted || !leaf.verify(chain[0]!.publicKey))
    throw new Error("failed to verify leaf certificate");
  for (const sct of body.scts) {
    const input = certificateInput(leaf.raw, sct.timestamp);
    const known = root.ctlogs.some(
      (log) =>
        log.logId?.keyId.toString("base64") === sct.id &&
        open(log.publicKey?.validFor, new Date(sct.timestamp)) &&
        verify("sha256", input, keyOf(log), digitallySigned(sct.signature)),
    );
    if (!known) throw new Error("only able to verify 0 SCT entries; unable to meet threshold of 1");
  }
}

/** The authority's chain must be a trusted one. */
function timestamp(tsa: Service, root: TrustedRoot): void {
  const served = tsa.get("/api/v1/timestamp/certchain");
  const chain = splitPem(String(served.body)).map((pem) => new X509Certificate(pem));
  const known = root.timestampAuthorities.some(
    (authority) => open(authority.validFor, new Date()) && sameChain(authority, chain),
  );
  if (!known) throw new Error("unable to verify timestamps: 0 of 1 verified");
}

/** The log's checkpoint over the new entry must be signed by a trusted log. */
async function entry(rekor: Service, root: TrustedRoot): Promise<void> {
  const answer = await rekor.post("/api/v1/log/entries", Buffer.alloc(0));
  const { signedTreeHead } = JSON.parse(String(answer.body)) as { signedTreeHead: string };
  const signer = parseNote(signedTreeHead).signatures[0]?.name ?? "";
  const known = root.tlogs.some((log) => {
    if (!open(log.publicKey?.validFor, new Date())) return false;
    try {
      return verifyCheckpoint(signedTreeHead, signer, keyOf(log)).size > 0;
    } catch {
      return false;
    }
  });
  if (!known) throw new Error("not enough verified log entries from transparency log: 0 < 1");
}

function open(window: TimeRange | undefined, at: Date): boolean {
  const { start, end } = window ?? {};
  return start !== undefined && start <= at && (end === undefined || at <= end);
}

function keyOf(log: TransparencyLogInstance) {
  const key = log.publicKey?.rawBytes ?? Buffer.alloc(0);
  return createPublicKey({ key, format: "der", type: "spki" });
}

function sameChain(authority: CertificateAuthority, chain: readonly X509Certificate[]): boolean {
  const trusted = authority.certChain?.certificates ?? [];
  return (
    trusted.length === chain.length &&
    trusted.every(({ rawBytes }, index) => rawBytes.equals(chain[index]!.raw))
  );
}
