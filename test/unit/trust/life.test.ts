import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { UserError } from "../../../infra/errors.ts";
import { decide, switches, type KindPlan } from "../../../infra/trust/decide.ts";
import { lifeStates, trustSchema, type TrustConfig } from "../../../infra/trust/generations.ts";
import { inUse, usedUntil } from "../../../infra/trust/life.ts";
import { memoryOf, type Memory } from "../../../infra/trust/memory.ts";
import { story } from "../../../infra/trust/story.ts";
import { fulcioCaRecord, logRecord } from "./fixture.ts";

type Life = Record<string, unknown>;
type Kind = "fulcioCa" | "ctLog";
const slug = { fulcioCa: "fulcio-ca", ctLog: "ctlog" } as const;

const leadTime = 90_000;
const begin = Date.parse("2026-06-01T00:00:00Z");
const text = (time: number) => `${new Date(time).toISOString().slice(0, 19)}Z`;

const records: Record<Kind, Record<number, { generation: number }>> = { fulcioCa: {}, ctLog: {} };
beforeAll(async () => {
  for (const n of [1, 2, 3, 4]) {
    records.fulcioCa[n] = await fulcioCaRecord(n);
    records.ctLog[n] = logRecord(n, `http://ctlog.example.test/ctlog-${n}`);
  }
});

/** A stack as far as decisions go: its records, and a clock. */
class World {
  readonly kind: Kind;
  readonly stashes: Record<string, unknown> = {};
  now = begin;

  constructor(kind: Kind) {
    this.kind = kind;
  }

  get memory(): Memory {
    return memoryOf(this.stashes);
  }

  plan(life: Life): KindPlan {
    const one = { "1": "active" };
    const all = { fulcioCa: one, ctLog: one, rekor: one, tsa: one, tufRoot: one, tufOnline: one };
    const trust: TrustConfig = trustSchema.parse({ ...all, [this.kind]: life });
    return decide({ trust, memory: this.memory, now: new Date(this.now), leadTime })[this.kind];
  }

  /**
   * Runs an update in the program's order of writing and returns what it planned.
   * @param writes how many new records it makes before it is killed; all if left out
   */
  update(life: Life, writes = Infinity): KindPlan {
    const plan = this.plan(life);
    const before = this.memory.kinds[this.kind];
    const name = slug[this.kind];
    const observed = () => ({ at: text((this.now += 1000)), checkpoints: {} });
    const steps: [string, () => unknown][] = [
      ...(["closed", "distrusted", "retired"] as const).flatMap((what) =>
        Object.entries<unknown>(plan[what]).map(([n, line]): [string, () => unknown] => [
          `${name}-${n}-${what}`,
          () => line,
        ]),
      ),
      ...plan.exists.map((n): [string, () => unknown] => [
        `${name}-${n}-public`,
        () => records[this.kind][n],
      ]),
      ...plan.accepts.map((n): [string, () => unknown] => [`${name}-${n}-published`, observed]),
    ];
    if (switches(plan, before))
      steps.push([
        `${name}-switch-${before.switches.length + 1}`,
        () => ({ ...observed(), generation: plan.issues }),
      ]);
    let left = writes;
    for (const [stash, make] of steps) {
      if (stash in this.stashes) continue;
      if (left-- <= 0) break;
      this.stashes[stash] = make();
    }
    return plan;
  }

  /** Why an update is refused. */
  refusal(life: Life): string {
    try {
      this.plan(life);
    } catch (error) {
      return (error as Error).message;
    }
    return "not refused";
  }

  wait(milliseconds: number): this {
    this.now += milliseconds;
    return this;
  }
}

function announced(kind: Kind = "fulcioCa"): World {
  const world = new World(kind);
  world.update({ "1": "active" });
  world.update({ "1": "active", "2": "announced" });
  return world;
}

function activated(kind: Kind = "fulcioCa"): World {
  const world = announced(kind).wait(leadTime);
  world.update({ "1": "draining", "2": "active" });
  return world;
}

describe.each(["fulcioCa", "ctLog"] as const)("the life of %s", (kind) => {
  test("goes from announced to retired, one edit a step", () => {
    const world = new World(kind);
    expect(world.update({ "1": "active" })).toMatchObject({ accepts: [1], issues: 1 });
    const two = world.update({ "1": "active", "2": "announced" });
    expect(two).toMatchObject({ exists: [1, 2], accepts: [1, 2], issues: 1, ends: {} });
    world.wait(leadTime);
    const used = world.update({ "1": "draining", "2": "active" });
    expect(used).toMatchObject({ accepts: [1, 2], issues: 2, ends: {}, keyless: [] });
    const until = usedUntil(world.memory.kinds[kind], 1)!;
    world.wait(leadTime);
    const end = text(Date.parse(until) + (kind === "fulcioCa" ? 900_000 : 300_000));
    const closed = world.update({ "1": "closed", "2": "active" });
    expect(closed).toMatchObject({ accepts: [2], issues: 2, ends: { "1": end }, keyless: [] });
    expect(closed.readOnly).toEqual(kind === "ctLog" ? [1] : []);
    const retired = world.wait(60_000).update({ "1": "retired", "2": "active" });
    expect(retired).toMatchObject({ exists: [1, 2], accepts: [2], keyless: [1], readOnly: [] });
    expect(retired.ends).toEqual({ "1": end });
  });

  test("goes back from active to announced until the old one is closed, and forth again", () => {
    const world = activated(kind).wait(1000);
    expect(world.update({ "1": "active", "2": "announced" }).issues).toBe(1);
    expect(inUse(world.memory.kinds[kind])).toBe(1);
    world.wait(1000).update({ "1": "draining", "2": "active" });
    expect(world.memory.kinds[kind].switches.map(({ generation }) => generation)).toEqual([
      1, 2, 1, 2,
    ]);
    world.wait(leadTime).update({ "1": "closed", "2": "active" });
    expect(world.refusal({ "1": "active", "2": "announced" })).toMatch(/recorded as closed/);
    expect(world.refusal({ "1": "draining", "2": "active" })).toMatch(/recorded as closed/);
  });

  test("the last use counts, not the first: a window ends after the second change", () => {
    const world = activated(kind).wait(1000);
    world.update({ "1": "active", "2": "announced" });
    world.wait(86_400_000).update({ "1": "draining", "2": "active" });
    const last = world.memory.kinds[kind].switches.at(-1)!.at;
    const { ends } = world.wait(leadTime).update({ "1": "closed", "2": "active" });
    expect(Date.parse(ends["1"]!)).toBeGreaterThanOrEqual(Date.parse(last) + 300_000);
  });

  test("a stolen key is out of trust from the time that is named", () => {
    const world = activated(kind).wait(1000);
    const stolen = (time: number) => ({ "1": { distrusted: text(time) }, "2": "active" });
    const from = world.now - 500;
    const plan = world.update(stolen(from));
    expect(plan).toMatchObject({ accepts: [2], keyless: [1], ends: { "1": text(from) } });
    expect(world.refusal(stolen(from - 60_000))).toMatch(/recorded as {distrusted:/);
    expect(world.refusal({ "1": "draining", "2": "active" })).toMatch(/cannot step back/);
    expect(world.refusal(stolen(from))).toBe("not refused");
    const [second] = text(from).split("Z");
    for (const same of [`${second}.527Z`, `${second}.999+00:00`])
      expect(world.refusal({ "1": { distrusted: same }, "2": "active" })).toBe("not refused");
  });
});

describe("refused", () => {
  test.each<[string, () => World, Life, RegExp]>([
    [
      "active at once",
      () => announced(),
      { "1": "draining", "2": "active" },
      /lead time.*from 2026/,
    ],
    [
      "active without being announced",
      () => {
        const world = new World("fulcioCa");
        world.update({ "1": "active" });
        return world;
      },
      { "1": "draining", "2": "active" },
      /cannot be active before it was announced: keep 1 active/,
    ],
    [
      "active without being seen everywhere",
      () => {
        const world = new World("fulcioCa");
        world.update({ "1": "active" });
        world.update({ "1": "active", "2": "announced" }, 1); // killed after its record was made
        return world.wait(leadTime * 10);
      },
      { "1": "draining", "2": "active" },
      /not yet seen on every replica/,
    ],
    [
      "closed in the update that switches",
      () => announced().wait(leadTime),
      { "1": "closed", "2": "active" },
      /cannot be closed while the producer changes/,
    ],
    ["closed too early", () => activated(), { "1": "closed", "2": "active" }, /can be closed from/],
    [
      "retired before it is closed",
      () => activated().wait(leadTime),
      { "1": "retired", "2": "active" },
      /not recorded as closed/,
    ],
    ["forgotten", () => announced(), { "1": "active" }, /generation 2 is recorded .* missing/],
    [
      "distrusted while in use",
      () => announced(),
      { "1": { distrusted: text(begin) }, "2": "active" },
      /is in use, so nothing could be signed/,
    ],
    [
      "distrusted in the future",
      () => activated(),
      { "1": { distrusted: text(begin + 1e9) }, "2": "active" },
      /must lie between its start/,
    ],
    [
      "never made, yet retired",
      () => new World("fulcioCa"),
      { "1": "retired", "2": "active" },
      /not recorded as closed/,
    ],
  ])("%s", (_what, world, life, message) => {
    expect(world().refusal(life)).toMatch(message);
  });

  test("to the second, the end of the lead time", () => {
    const world = announced();
    const published = Date.parse(world.memory.kinds.fulcioCa.published["2"]!.at);
    world.now = published + leadTime - 1;
    expect(world.refusal({ "1": "draining", "2": "active" })).toContain(text(published + leadTime));
    world.now += 1;
    expect(world.refusal({ "1": "draining", "2": "active" })).toBe("not refused");
  });
});

describe("whatever is edited, and wherever updates are killed", () => {
  const state = fc.constantFrom(...lifeStates, "stolen");
  const edit = fc.record({
    states: fc.array(state, { minLength: 1, maxLength: 4 }),
    waits: fc.constantFrom(0, 1000, leadTime, 10 * leadTime),
    writes: fc.constantFrom(0, 1, 2, 3, 4, 1000, 1000, 1000),
  });
  /** Edits as people make them, so that many get far: the next step of a life, or any. */
  const likely = fc.constantFrom(
    ...[["active"], ["active", "announced"], ["draining", "active"], ["closed", "active"]],
    ...[
      ["retired", "active"],
      ["retired", "active", "announced"],
      ["stolen", "active"],
    ],
    ...[
      ["retired", "draining", "active"],
      ["retired", "closed", "active"],
    ],
  );
  const natural = [
    ["active"],
    ["active", "announced"],
    ["draining", "active"],
    ["closed", "active"],
  ]
    .concat([["retired", "active"]])
    .map((states) => ({ states, waits: 10 * leadTime, writes: 1000 }));
  const anyEdits = fc.array(
    fc.oneof(
      edit,
      fc.tuple(edit, likely).map(([rest, states]) => ({ ...rest, states })),
    ),
    { maxLength: 20 },
  );
  /** A life as it should be up to some step, and then anything. */
  const edits = fc
    .tuple(fc.nat(natural.length), anyEdits)
    .map(([steps, rest]) => [...natural.slice(0, steps), ...rest]);

  test.each(["fulcioCa", "ctLog"] as const)("%s: the invariants hold", (kind) => {
    const reached = new Set<string>();
    fc.assert(
      fc.property(edits, (list) => {
        const world = new World(kind);
        const memory = () => world.memory.kinds[kind];
        for (const { states, waits, writes } of list) {
          world.wait(waits);
          const stolenFrom = (n: number) => memory().distrusted[n]?.from ?? text(world.now - 1000);
          const life = Object.fromEntries(
            states.map((one, index) => [
              String(index + 1),
              one === "stolen" ? { distrusted: stolenFrom(index + 1) } : one,
            ]),
          );
          const before = memory();
          let plan: KindPlan;
          try {
            plan = world.update(life, writes);
          } catch (error) {
            if (error instanceof UserError || (error as Error).name === "ZodError") continue;
            throw error;
          }
          for (const one of states) reached.add(one);
          check(plan, before, world.now);
        }
      }),
      { numRuns: 2000 },
    );
    expect([...reached].sort()).toEqual([...lifeStates, "stolen"].sort());
  });

  function check(plan: KindPlan, before: Memory["kinds"][Kind], now: number): void {
    const used = inUse(before);
    // Trusted before used: published for the lead time, unless nothing was ever in use.
    expect(plan.accepts).toContain(plan.issues);
    if (used !== undefined && used !== plan.issues) {
      const published = before.published[plan.issues];
      expect(published).toBeDefined();
      expect(now - Date.parse(published!.at)).toBeGreaterThanOrEqual(leadTime);
      expect(plan.accepts).toContain(used);
    }
    // Never forgotten, and a window never ends before the last use.
    for (const number of Object.keys(before.records)) expect(plan.exists).toContain(Number(number));
    for (const [number, { end }] of Object.entries(plan.closed)) {
      expect(Number(number)).not.toBe(plan.issues);
      const until = usedUntil(before, Number(number));
      if (until !== undefined) expect(Date.parse(end)).toBeGreaterThan(Date.parse(until));
    }
    // A key is destroyed only when nothing uses it, and what was fixed once stays.
    expect(plan.keyless).not.toContain(plan.issues);
    if (used !== undefined) expect(plan.keyless).not.toContain(used);
    expect(plan.closed).toMatchObject(before.closed);
    expect(plan.distrusted).toMatchObject(before.distrusted);
    expect(plan.retired).toMatchObject(before.retired);
  }
});

describe("the story of an update", () => {
  const tell = (world: World, life: Life) => {
    const one = { "1": "active" };
    const all = { fulcioCa: one, ctLog: one, rekor: one, tsa: one, tufRoot: one, tufOnline: one };
    const trust = trustSchema.parse({ ...all, fulcioCa: life });
    const { memory } = world;
    const plan = decide({ trust, memory, now: new Date(world.now), leadTime });
    return story(plan, memory).filter((line) => line.startsWith("fulcioCa"));
  };

  test("says what is made, used, ended and destroyed, and nothing of what stays", () => {
    const world = new World("fulcioCa");
    expect(tell(world, { "1": "active" })).toEqual([
      "fulcioCa 1: a new key is made, published, and then used",
    ]);
    world.update({ "1": "active" });
    expect(tell(world, { "1": "active" })).toEqual([]);
    expect(tell(world, { "1": "active", "2": "announced" })).toEqual([
      "fulcioCa 2: a new key is made and published; nothing uses it yet",
    ]);
    const later = activated().wait(leadTime);
    expect(tell(later, { "1": "active", "2": "announced" })).toEqual([
      "fulcioCa: Fulcio issues with 1 instead of 2; both stay trusted",
    ]);
    expect(tell(later, { "1": "closed", "2": "active" })).toEqual([
      expect.stringMatching(/^fulcioCa 1: closed; clients trust what it made until 2026-06-01T00:/),
    ]);
    later.update({ "1": "closed", "2": "active" });
    expect(tell(later, { "1": "retired", "2": "active" })).toEqual([
      "fulcioCa 1: its private key is destroyed; what it made stays trusted",
    ]);
  });
});
