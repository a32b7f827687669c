import { randomBytes, X509Certificate } from "node:crypto";
import { inUse, matchChain, splitPem } from "./certificates.ts";
import { fail, ok, warn, type Check } from "./finding.ts";
import { getText } from "../../infra/observe/http.ts";
import { signerSerial, timestampOver } from "../../infra/observe/timestamping.ts";
import { clockTolerance } from "../../infra/observe/horizon.ts";

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
      const timestamp = await timestampOver(signature, base(outputs.services.tsa));
      const serial = signerSerial(timestamp);
      const leaves = Object.entries(outputs.records.tsa).map(([generation, record]) => ({
        generation,
        leaf: new X509Certificate(record.chain[0] ?? ""),
      }));
      const signer = leaves.find(({ leaf }) => leaf.serialNumber === serial);
      if (signer === undefined) {
        const known = leaves.map(({ leaf }) => leaf.serialNumber).join(", ");
        return fail(`signed by certificate ${serial}`, known);
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
