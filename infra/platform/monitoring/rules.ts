import {
  certificateWarnDays,
  clockTolerance,
  timestampWarnShare,
  warnDays,
} from "../../observe/horizon.ts";

/** One alert, as Prometheus has it. */
export interface AlertRule {
  alert: string;
  /** PromQL. */
  expr: string;
  /** How long it must hold. */
  for?: string;
  labels: { severity: "critical" | "warning" };
  annotations: { summary: string; runbook: string };
}

const day = 86_400;

/** A second failed round is no accident; one may be a node that was just drained. */
const rounds = 2;

/** An alert before it is bound to a stack: `#` in the expression stands for the stack's label. */
type Draft = [
  name: string,
  severity: AlertRule["labels"]["severity"],
  expr: string,
  summary: string,
  holds?: string,
];

const failing = (check: string): string =>
  `max by (stack, check) (anchorhold_probe_failed_rounds{#, check=~"${check}"}) >= ${rounds}`;
const left = (role: string): string =>
  `anchorhold_tuf_expiry_timestamp_seconds{#, role=~"${role}"} - time()`;

/** Users stop at once, or will before long. */
const drafts: readonly Draft[] = [
  [
    "AnchorholdSigningFails",
    "critical",
    failing("sign"),
    "Nothing can be signed: the probe has tried twice.",
  ],
  [
    "AnchorholdVerificationFails",
    "critical",
    failing("verify"),
    "What was just signed does not verify with what the mirror publishes.",
  ],
  ["AnchorholdFulcioFails", "critical", failing("fulcio"), "Fulcio serves no CA that is trusted."],
  [
    "AnchorholdCtLogFails",
    "critical",
    failing("ctlog-[0-9]+"),
    "The CT log {{ $labels.check }} has no good tree head.",
  ],
  [
    "AnchorholdRekorFails",
    "critical",
    failing("rekor-[0-9]+"),
    "The log {{ $labels.check }} has no good checkpoint.",
  ],
  ["AnchorholdTsaFails", "critical", failing("tsa"), "The TSA signs no timestamp that verifies."],
  [
    "AnchorholdTufFails",
    "critical",
    failing("tuf"),
    "The TUF mirror is not there, or serves what clients refuse.",
  ],
  [
    "AnchorholdLogBackendFails",
    "critical",
    `min by (stack) (anchorhold_probe_failed_rounds{#, check=~"(ctlog|rekor)-[0-9]+"}) >= ${rounds}`,
    "All logs fail at once: Trillian, or its database.",
  ],
  [
    "AnchorholdLogRolledBack",
    "critical",
    "anchorhold_log_consistent{#} == 0",
    "The log {{ $labels.log }} has forgotten or changed entries that it had.",
  ],
  [
    "AnchorholdTimestampExpired",
    "critical",
    `${left("timestamp")} <= 0`,
    "timestamp.json has expired: no client takes the mirror any more.",
  ],
  [
    "AnchorholdTimestampNotRenewed",
    "warning",
    `${left("timestamp")} < on (stack, instance) group_left () ${timestampWarnShare.toFixed(4)} * anchorhold_tuf_timestamp_life_seconds{#}`,
    "timestamp.json was not renewed for several days; when it expires, clients stop.",
  ],
  [
    "AnchorholdMetadataExpires",
    "warning",
    `${left("root")} < ${warnDays.root * day} or ${left("targets|snapshot")} < ${warnDays.targets * day}`,
    "The TUF role {{ $labels.role }} expires in {{ $value | humanizeDuration }}.",
  ],
  [
    "AnchorholdCertificateExpires",
    "warning",
    `anchorhold_certificate_expiry_timestamp_seconds{#} - time() < ${certificateWarnDays * day}`,
    "A certificate of {{ $labels.service }} expires in {{ $value | humanizeDuration }}.",
  ],
  [
    "AnchorholdSearchFails",
    "warning",
    failing("search"),
    "Rekor's search index does not find new entries; signing goes on.",
  ],
  [
    "AnchorholdClockOff",
    "warning",
    `abs(anchorhold_clock_skew_seconds{#}) > ${clockTolerance}`,
    "The clocks of the TSA and of the probe differ by {{ $value }} seconds.",
    "5m",
  ],
  [
    "AnchorholdProbeForgets",
    "warning",
    failing("memory"),
    "The probe cannot write down what it sees: after its next start it would not know.",
  ],
  [
    "AnchorholdProbeSilent",
    "critical",
    "absent(anchorhold_probe_round_timestamp_seconds{#}) or " +
      "time() - anchorhold_probe_round_timestamp_seconds{#} > 3 * anchorhold_probe_interval_seconds{#} + 120",
    "The probe makes no rounds: nobody would know if something broke.",
    "5m",
  ],
];

/** Where a person finds what to do. */
export const runbook = (alert: string): string => `docs/alerts.md#${alert.toLowerCase()}`;

/**
 * The alerts of one stack.
 * @param stack the prefix, which is a label of every metric
 */
export function alertRules(stack: string): AlertRule[] {
  return drafts.map(([alert, severity, expr, summary, holds]) => ({
    alert,
    expr: expr.replaceAll("{#", `{stack="${stack}"`),
    ...(holds === undefined ? {} : { for: holds }),
    labels: { severity },
    annotations: { summary, runbook: runbook(alert) },
  }));
}

/** The same as Prometheus' rule files and PrometheusRules have them. */
export function ruleGroups(stack: string): { groups: { name: string; rules: AlertRule[] }[] } {
  return { groups: [{ name: `anchorhold-${stack}`, rules: alertRules(stack) }] };
}
