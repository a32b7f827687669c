import { X509Certificate } from "node:crypto";
import type { StackOutputs } from "../../../infra/outputs.ts";
import type { Evidence } from "../evidence.ts";
import { commands, type Fault } from "./fault.ts";
import { seen } from "./rules.ts";

/** The chain of a generation in use, and when the first of its certificates ends. */
export interface UsedChain {
  kind: "fulcioCa" | "tsa";
  generation: number;
  ends: Date;
}

export function usedChains({ records, life }: StackOutputs): UsedChain[] {
  return (["fulcioCa", "tsa"] as const).flatMap((kind) => {
    const generation = life[kind].issues;
    const chain = records[kind][generation]?.chain;
    if (chain === undefined) return [];
    const ends = chain.map((pem) => Date.parse(new X509Certificate(pem).validTo));
    return [{ kind, generation, ends: new Date(Math.min(...ends)) }];
  });
}

/** Certificates that have ended while their generation is in use. */
export function endedCertificates({ state: { outputs }, now }: Evidence): Fault[] {
  return usedChains(outputs)
    .filter(({ ends }) => ends <= now)
    .map(({ kind, generation, ends }): Fault => ({
      id: "certificate-ended",
      component: kind === "tsa" ? "tsa" : "fulcio",
      place: `${kind} generation ${generation}`,
      users: [
        "x509: certificate has expired or is not yet valid",
        kind === "tsa" ? seen.timestamps : seen.ctl,
      ],
      cause: `Its certificate ended at ${ends.toISOString()}, and no newer generation is in use.`,
      command: `${commands.up}, with the next generation announced in anchorhold:trust.${kind}`,
      explains: ["serving", "identity"],
    }));
}
