import * as z from "zod";
import { duration } from "./fields.ts";
import { wordOr } from "./forms.ts";
import type { Issuer } from "./issuers.ts";

/** Seconds between two rounds: Prometheus fetches every 15 to 60 seconds, and an hour is no watch. */
const bounds = { least: 5, most: 3600 } as const;
const usual = "2m";

const docs = "docs/alerts.md";

const running = z.strictObject({
  every: duration
    .refine(
      (seconds) => seconds >= bounds.least && seconds <= bounds.most,
      "must be between 5s and 1h",
    )
    .prefault(usual),
});

/** `anchorhold:probe`: how often a round begins. */
export const probeSchema = wordOr(["none"], running, docs).optional();

/**
 * `anchorhold:monitoring`: a ServiceMonitor, alert rules and a dashboard. `auto` makes them where the
 * cluster has the kinds of the Prometheus operator.
 */
export const monitoringSchema = z
  .enum(["auto", "none", "prometheus-operator"], {
    error: `must be auto, none or prometheus-operator: ${docs}`,
  })
  .default("auto");

/** What of the configuration says whether somebody watches. */
interface Watched {
  issuers: readonly Issuer[];
  probe?: z.infer<typeof probeSchema>;
  monitoring: z.infer<typeof monitoringSchema>;
}

/** The issuer whose tokens Kubernetes gives to the probe. */
export function probeIssuer({ issuers }: Pick<Watched, "issuers">) {
  return issuers.find(({ type }) => type === "kubernetes");
}

/** Seconds between two rounds; undefined where there is no probe. */
export function probeEvery({ issuers, probe }: Pick<Watched, "issuers" | "probe">) {
  if (probe === "none" || probeIssuer({ issuers }) === undefined) return undefined;
  return (probe ?? running.parse({})).every;
}

/** What cannot be together. */
export function probeProblems(config: Watched): string[] {
  const { probe, monitoring } = config;
  const lacksIssuer = typeof probe === "object" && probeIssuer(config) === undefined;
  const nothing = monitoring === "prometheus-operator" && probeEvery(config) === undefined;
  return [
    ...(lacksIssuer
      ? [
          "anchorhold:probe: the probe signs with the cluster's own tokens, and anchorhold:issuers " +
            "has none of type kubernetes: add it, or write probe: none",
        ]
      : []),
    ...(nothing
      ? [
          "anchorhold:monitoring: there is nothing to watch without a probe: write monitoring: none, or " +
            "let the probe run (anchorhold:probe, and an issuer of type kubernetes)",
        ]
      : []),
  ];
}
