import * as z from "zod";

const head = z.strictObject({ size: z.int().min(0), rootHash: z.string().regex(/^[0-9a-f]{64}$/) });

/** What a later round, and a later pod, must not forget: how far everything has been. */
const memorySchema = z.strictObject({
  /** The newest tree head of each log that continues all before it, by the log's name. */
  logs: z.record(z.string(), head).default({}),
  /** The highest version seen of each TUF role. */
  roles: z.record(z.string(), z.int().min(1)).default({}),
});
export type Memory = z.infer<typeof memorySchema>;

/** The object that the memory is kept in. */
export interface Keeper<Stored extends { data?: Record<string, string> }> {
  read(): Promise<Stored>;
  /** Fails when somebody else has written since it was read. */
  replace(object: Stored): Promise<void>;
}

const key = "memory.json";

/** The memory of all rounds, in this pod and outside of it. */
export class Remembering<Stored extends { data?: Record<string, string> }> {
  readonly #keeper: Keeper<Stored>;
  #now: Memory = { logs: {}, roles: {} };
  #saved: string | undefined;

  constructor(keeper: Keeper<Stored>) {
    this.#keeper = keeper;
  }

  get now(): Memory {
    return this.#now;
  }

  /**
   * Reads what earlier pods have seen, once: what this one learns until then is older than nothing.
   * @throws {Error} when it cannot be read or is none of ours
   */
  async load(): Promise<void> {
    if (this.#saved !== undefined) return;
    const text = (await this.#keeper.read()).data?.[key];
    const before = memorySchema.parse(text === undefined ? {} : JSON.parse(text));
    // The longer one of each log: the other is checked against it in the next round.
    const logs = { ...this.#now.logs, ...before.logs };
    this.#now = { logs, roles: { ...this.#now.roles, ...before.roles } };
    this.#saved = text ?? "";
  }

  see(seen: { log: string; head: z.infer<typeof head> } | { role: string; version: number }): void {
    const { logs, roles } = this.#now;
    this.#now =
      "log" in seen
        ? { logs: { ...logs, [seen.log]: seen.head }, roles }
        : { logs, roles: { ...roles, [seen.role]: seen.version } };
  }

  /** Writes it down if it has changed. @throws {Error} when that fails: the next round tries again */
  async save(): Promise<void> {
    const text = JSON.stringify(this.#now);
    if (this.#saved === undefined) throw new Error("what was seen before could not be read");
    const stored = await this.#keeper.read();
    if (stored.data?.[key] === text) return;
    await this.#keeper.replace({ ...stored, data: { ...stored.data, [key]: text } });
    this.#saved = text;
  }
}
