import { randomBytes, X509Certificate } from "node:crypto";
import { RFC3161Timestamp } from "@sigstore/core";
import { TSAWitness } from "@sigstore/sign";
import { inUse, matchChain, splitPem } from "./certificates.ts";
import { fail, ok, warn, type Check } from "./finding.ts";
import { getText } from "../../infra/observe/http.ts";
import { clockTolerance } from "./horizon.ts";

/** The TSA's base, whether the output names the base or the full endpoint. */
const base = (url: string) => url.replace(/\/api\/v1\/timestamp\/?$/, "");

/** The TSA: its chain, and a real timestamp over random bytes (RFC 3161). */
export const tsaChecks: readonly Check[] = [
  {
    service: "tsa",
    title: "certificate chain",
    hint: "The TSA serves another chain than recorded: clients will refuse its timestamps. Run `pulumi up`.",
    async run({ outputs, signal }) {
      const pem = await getText(`${base(outputs.services.tsa)}/api/v1/timestamp/certchain`, signal);
      const match = matchChain(splitPem(pem), inUse(outputs.records.tsa, outputs.life.tsa));
      return match.generation === undefined
        ? fail(match.seen, match.expected)
        : ok(`chain of generation ${match.generation}, ${match.seen}`);
    },
  },
  {
    service: "tsa",
    title: "timestamp",
    expected: "a timestamp signed by the recorded leaf",
    hint: "The TSA signs with a key that no record knows, or its clock is off. Run `pulumi up`; check the nodes' clocks.",
    async run({ outputs }) {
      const signature = randomBytes(32);
      const der = await timestampOver(signature, base(outputs.services.tsa));
      const timestamp = RFC3161Timestamp.parse(der);
      const leaves = Object.entries(outputs.records.tsa).map(([generation, record]) => ({
        generation,
        leaf: new X509Certificate(record.chain[0] ?? ""),
      }));
      const signer = leaves.find(
        ({ leaf }) => leaf.serialNumber === hexSerial(timestamp.signerSerialNumber),
      );
      if (signer === undefined) {
        const known = leaves.map(({ leaf }) => leaf.serialNumber).join(", ");
        return fail(`signed by certificate ${hexSerial(timestamp.signerSerialNumber)}`, known);
      }
      timestamp.verify(signature, signer.leaf.publicKey);
      return judgeClock(timestamp.signingTime, new Date(), signer.generation);
    },
  },
];

/** Timestamps are whole seconds. */
export function judgeClock(stamped: Date, now: Date, generation: string) {
  const skew = Math.round((stamped.getTime() - now.getTime()) / 1000);
  const seen = `${stamped.toISOString()}, generation ${generation}`;
  return Math.abs(skew) <= clockTolerance
    ? ok(`signature good, ${seen}`)
    : warn(`${seen}, ${skew} s from this machine's clock`, `at most ${clockTolerance} s apart`);
}

async function timestampOver(signature: Buffer, tsaBaseURL: string): Promise<Buffer<ArrayBuffer>> {
  const witness = new TSAWitness({ tsaBaseURL, timeout: 10_000, retry: 0 });
  const material = await witness.testify({
    $case: "messageSignature",
    messageSignature: { messageDigest: undefined, signature },
  } as unknown as Parameters<TSAWitness["testify"]>[0]);
  const [first] = material.rfc3161Timestamps ?? [];
  if (first === undefined) throw new Error("the TSA returned no timestamp");
  return Buffer.from(first.signedTimestamp);
}

/** Node prints serial numbers in upper-case hex; ASN.1 may carry a leading zero byte. */
function hexSerial(bytes: Buffer): string {
  return bytes
    .toString("hex")
    .toUpperCase()
    .replace(/^(00)+(?=.)/, "");
}
