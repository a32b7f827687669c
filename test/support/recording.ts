/** One value of the text format that Prometheus fetches. */
const line = /^([a-zA-Z_:][\w:]*)(\{.*\})? (\S+)$/;

/** Every series of a page of metrics, `name{labels}`, with its value. */
export function parseMetrics(page: string): Map<string, number> {
  const values = new Map<string, number>();
  for (const text of page.split("\n")) {
    if (text === "" || text.startsWith("#")) continue;
    const [, name = "", labels = "", value = ""] = line.exec(text) ?? [];
    if (name === "" || Number.isNaN(Number(value))) throw new Error(`no metric: ${text}`);
    values.set(`${name}${labels}`, Number(value));
  }
  return values;
}

/** A series as promtool takes it. */
export interface InputSeries {
  series: string;
  values: string;
}

/** What Prometheus would have fetched, at a steady pace. A page that was not there leaves a gap. */
export class Recording {
  readonly #pages: (Map<string, number> | undefined)[] = [];

  add(page: string | undefined): void {
    this.#pages.push(page === undefined ? undefined : parseMetrics(page));
  }

  get length(): number {
    return this.#pages.length;
  }

  /** A missing value is stale at once, as after a fetch that had it not, or failed. */
  series(): InputSeries[] {
    const names = new Set(this.#pages.flatMap((page) => [...(page?.keys() ?? [])]));
    return [...names].map((name) => ({
      series: withInstance(name),
      values: this.#pages.map((page) => page?.get(name) ?? "stale").join(" "),
    }));
  }
}

/** Prometheus puts where it has fetched a value on each. */
const withInstance = (name: string): string => name.replace(/\}$/, ',instance="prober:9464"}');
