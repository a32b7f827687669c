import { randomBytes, X509Certificate } from "node:crypto";
import type { CertificateAuthority } from "@sigstore/protobuf-specs";
import { trustBundle } from "../../../observe/fulcio.ts";
import { getJson, getText } from "../../../observe/http.ts";
import { signerSerial, timestampOver } from "../../../observe/timestamping.ts";
import type { Board } from "./metrics.ts";
import type { Scene } from "./scene.ts";

type Known = Pick<Scene, "settings" | "board" | "trust">;

/** Fulcio's own CA is one that clients trust. @throws {Error} when not, or without an answer */
export async function checkFulcio({ settings, board, trust }: Known, signal: AbortSignal) {
  const answer = await getJson(`${settings.fulcio}/api/v2/trustBundle`, signal);
  const chain = trustBundle.parse(answer).chains.flatMap(({ certificates }) => certificates);
  checkChain("fulcio", chain, trust?.certificateAuthorities, board);
}

/**
 * The TSA's chain is one that clients trust, and it signs a timestamp that this chain verifies
 * (RFC 3161). @throws {Error} when not, or without an answer
 */
export async function checkTsa({ settings, board, trust }: Known, signal: AbortSignal) {
  const pem = await getText(`${settings.tsa}/api/v1/timestamp/certchain`, signal);
  const chain = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const [leaf] = checkChain("tsa", chain, trust?.timestampAuthorities, board);
  const signature = randomBytes(32);
  const asked = Date.now();
  const timestamp = await timestampOver(signature, settings.tsa);
  // Whole seconds, which it rounds down.
  const skew = timestamp.signingTime.getTime() / 1000 - Math.floor(asked / 1000);
  board.set("anchorhold_clock_skew_seconds", skew);
  if (leaf?.serialNumber !== signerSerial(timestamp))
    throw new Error(`certificate ${signerSerial(timestamp)} has signed, not the served chain's`);
  timestamp.verify(signature, leaf.publicKey);
}

/** @returns the certificates, from the issuer or signer to the root */
function checkChain(
  service: "fulcio" | "tsa",
  pems: readonly string[],
  trusted: readonly CertificateAuthority[] | undefined,
  board: Board,
): X509Certificate[] {
  const chain = pems.map((pem) => new X509Certificate(pem));
  const ends = chain.map(({ validTo }) => Date.parse(validTo) / 1000);
  if (ends.length === 0) throw new Error("it serves no certificate");
  board.set("anchorhold_certificate_expiry_timestamp_seconds", Math.min(...ends), { service });
  // Until the mirror was read once there is nothing to compare with; the check of it fails.
  const isKnown = trusted === undefined || trusted.some((authority) => isChain(authority, chain));
  if (!isKnown) throw new Error("clients do not trust the chain that it serves");
  return chain;
}

function isChain({ certChain }: CertificateAuthority, chain: readonly X509Certificate[]): boolean {
  const known = certChain?.certificates ?? [];
  return (
    known.length === chain.length &&
    known.every(({ rawBytes }, index) => chain[index]?.raw.equals(rawBytes))
  );
}
