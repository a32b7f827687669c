/** A panel of Grafana, in the parts that differ. */
interface Panel {
  title: string;
  type: "stat" | "timeseries" | "state-timeline";
  /** PromQL, and how a line is called. */
  lines: readonly (readonly [expr: string, legend: string])[];
  unit?: string;
  width: number;
}

const mine = 'stack="$stack"';

const panels: readonly Panel[] = [
  {
    title: "Checks",
    type: "state-timeline",
    lines: [[`max by (check) (anchorhold_probe_success{${mine}})`, "{{check}}"]],
    width: 16,
  },
  {
    title: "Failed rounds in a row",
    type: "stat",
    lines: [[`max by (check) (anchorhold_probe_failed_rounds{${mine}}) > 0`, "{{check}}"]],
    width: 8,
  },
  {
    title: "How long each check takes",
    type: "timeseries",
    lines: [[`max by (check) (anchorhold_probe_duration_seconds{${mine}})`, "{{check}}"]],
    unit: "s",
    width: 12,
  },
  {
    title: "New entries a minute",
    type: "timeseries",
    lines: [[`60 * max by (log) (deriv(anchorhold_log_entries{${mine}}[10m]))`, "{{log}}"]],
    width: 12,
  },
  {
    title: "Logs continue what was seen of them",
    type: "state-timeline",
    lines: [[`min by (log) (anchorhold_log_consistent{${mine}})`, "{{log}}"]],
    width: 12,
  },
  {
    title: "Since the last success",
    type: "timeseries",
    lines: [
      [
        `time() - max by (check) (anchorhold_probe_last_success_timestamp_seconds{${mine}})`,
        "{{check}}",
      ],
    ],
    unit: "s",
    width: 12,
  },
  {
    title: "TUF metadata expires in",
    type: "stat",
    lines: [
      [`min by (role) (anchorhold_tuf_expiry_timestamp_seconds{${mine}}) - time()`, "{{role}}"],
    ],
    unit: "s",
    width: 12,
  },
  {
    title: "Certificates expire in",
    type: "stat",
    lines: [
      [
        `min by (service) (anchorhold_certificate_expiry_timestamp_seconds{${mine}}) - time()`,
        "{{service}}",
      ],
    ],
    unit: "s",
    width: 6,
  },
  {
    title: "TUF versions",
    type: "stat",
    lines: [[`max by (role) (anchorhold_tuf_version{${mine}})`, "{{role}}"]],
    width: 6,
  },
];

const height = 8;
const fullWidth = 24;

/** Grafana's grid: from left to right, as many in a row as fit. */
function placed(all: readonly Panel[]) {
  let [x, y] = [0, 0];
  return all.map((panel) => {
    if (x + panel.width > fullWidth) [x, y] = [0, y + height];
    const at = { x, y, w: panel.width, h: height };
    x += panel.width;
    return { panel, at };
  });
}

/** The dashboard as Grafana imports it; it asks for its data source and its stack. */
export function dashboard(): string {
  const datasource = { type: "prometheus", uid: "${datasource}" };
  const body = {
    title: "Anchorhold",
    uid: "anchorhold",
    tags: ["sigstore"],
    schemaVersion: 39,
    refresh: "1m",
    time: { from: "now-6h", to: "now" },
    templating: {
      list: [
        { name: "datasource", type: "datasource", query: "prometheus" },
        {
          ...{ name: "stack", type: "query", datasource, refresh: 2 },
          query: "label_values(anchorhold_probe_interval_seconds, stack)",
        },
      ],
    },
    panels: placed(panels).map(({ panel, at }, index) => ({
      id: index + 1,
      title: panel.title,
      type: panel.type,
      datasource,
      gridPos: at,
      fieldConfig: { defaults: { unit: panel.unit ?? "short" }, overrides: [] },
      targets: panel.lines.map(([expr, legendFormat], line) => ({
        ...{ refId: String.fromCharCode(65 + line), datasource, expr, legendFormat },
      })),
    })),
  };
  return `${JSON.stringify(body, null, 2)}\n`;
}
