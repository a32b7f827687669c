/** Every metric of the probe: its type, its labels beside `stack`, and what it says. */
export const metrics = {
  anchorhold_probe_success: {
    ...{ type: "gauge", labels: ["check"] },
    help: "Whether the check passed in its last round (1) or not (0).",
  },
  anchorhold_probe_failed_rounds: {
    ...{ type: "gauge", labels: ["check"] },
    help: "Rounds in a row in which the check has failed.",
  },
  anchorhold_probe_duration_seconds: {
    ...{ type: "gauge", labels: ["check"] },
    help: "How long the check took in its last round.",
  },
  anchorhold_probe_last_success_timestamp_seconds: {
    ...{ type: "gauge", labels: ["check"] },
    help: "When the check passed last, in seconds since 1970.",
  },
  anchorhold_probe_rounds_total: {
    ...{ type: "counter", labels: [] },
    help: "Rounds since the probe was started.",
  },
  anchorhold_probe_round_timestamp_seconds: {
    ...{ type: "gauge", labels: [] },
    help: "When the last round ended, in seconds since 1970.",
  },
  anchorhold_probe_interval_seconds: {
    ...{ type: "gauge", labels: [] },
    help: "How often a round begins.",
  },
  anchorhold_log_entries: {
    ...{ type: "gauge", labels: ["log"] },
    help: "Entries of the log, by its signed tree head.",
  },
  anchorhold_log_consistent: {
    ...{ type: "gauge", labels: ["log"] },
    help: "Whether the log only adds to what the probe saw of it before (1) or forgot or changed it (0).",
  },
  anchorhold_tuf_version: {
    ...{ type: "gauge", labels: ["role"] },
    help: "Version of the served metadata.",
  },
  anchorhold_tuf_expiry_timestamp_seconds: {
    ...{ type: "gauge", labels: ["role"] },
    help: "When the served metadata expires, in seconds since 1970.",
  },
  anchorhold_tuf_timestamp_life_seconds: {
    ...{ type: "gauge", labels: [] },
    help: "Life of a timestamp.json from its signing.",
  },
  anchorhold_certificate_expiry_timestamp_seconds: {
    ...{ type: "gauge", labels: ["service"] },
    help: "When the first certificate of the chain in use expires, in seconds since 1970.",
  },
  anchorhold_clock_skew_seconds: {
    ...{ type: "gauge", labels: [] },
    help: "How far the TSA's clock is ahead of the probe's.",
  },
} as const satisfies Record<string, Metric>;

interface Metric {
  type: "gauge" | "counter";
  labels: readonly string[];
  help: string;
}

export type MetricName = keyof typeof metrics;
type Labels = Readonly<Record<string, string>>;

/** The values as they are now, for Prometheus to fetch. */
export class Board {
  readonly #values = new Map<MetricName, Map<string, { labels: Labels; value: number }>>();
  readonly #common: Labels;

  /** @param common on every value */
  constructor(common: Labels) {
    this.#common = common;
  }

  get(name: MetricName, labels: Labels = {}): number | undefined {
    return this.#values.get(name)?.get(keyOf(labels))?.value;
  }

  set(name: MetricName, value: number, labels: Labels = {}): void {
    const known: readonly string[] = metrics[name].labels;
    if (Object.keys(labels).join() !== known.join())
      throw new Error(`${name} has the labels ${known.join(", ") || "(none)"}`);
    const series = this.#values.get(name) ?? new Map<string, { labels: Labels; value: number }>();
    this.#values.set(name, series.set(keyOf(labels), { labels, value }));
  }

  /** Forgets every value with this label, whatever its metric. */
  drop(label: string, value: string): void {
    for (const series of this.#values.values())
      for (const [key, { labels }] of series) if (labels[label] === value) series.delete(key);
  }

  /** The text format, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats). */
  render(): string {
    return [...this.#values]
      .filter(([, series]) => series.size > 0)
      .flatMap(([name, series]) => [
        `# HELP ${name} ${metrics[name].help}`,
        `# TYPE ${name} ${metrics[name].type}`,
        ...[...series.values()].map(
          ({ labels, value }) => `${name}${textOf({ ...this.#common, ...labels })} ${value}`,
        ),
      ])
      .map((line) => `${line}\n`)
      .join("");
  }
}

const keyOf = (labels: Labels): string => JSON.stringify(labels);

function textOf(labels: Labels): string {
  const escaped = (value: string) => value.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n");
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
