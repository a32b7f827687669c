import { format } from "prettier";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { diagnose } from "../../cli/doctor/diagnose/index.ts";
import type { Fault, Repair } from "../../cli/doctor/diagnose/fault.ts";
import { warnings } from "../../cli/doctor/diagnose/warnings.ts";
import type { Evidence } from "../../cli/doctor/evidence.ts";
import { faults } from "../support/faults/index.ts";
import { mend } from "../../cli/doctor/fix/index.ts";
import { visible } from "./support/hidden.ts";
import { oddities } from "./support/odd.ts";
import { together, type Look } from "./support/pairs.ts";
import { deploy, NodePorts, onCopy, snapshot, type Deployed } from "./support/scene.ts";
import { sceneFaults, type SceneFault } from "./support/sceneFaults.ts";
import type { ProgramUnderTest } from "./support/stack.ts";

const ports = new NodePorts();
let program: ProgramUnderTest;
let deployed: Deployed;
let healthy: Look;

beforeAll(async () => {
  ({ program } = await deploy(ports));
  deployed = await snapshot(program);
  healthy = await lookAfter();
});

afterAll(async () => {
  await program.close();
  ports.close();
});

/** What is seen of a copy of the stack after the faults were done to it, one after the other. */
function lookAfter(...done: readonly SceneFault[]): Promise<Look> {
  return onCopy(deployed, ports, async (scene) => {
    for (const fault of done) await fault.inject(scene);
    return { evidence: await scene.look(), ahead: scene.ahead };
  });
}

const findings = (evidence: Evidence) =>
  diagnose(evidence).map(({ id, place }) => `${id} ${place}`);

/** Without the seconds by which a clock is off: a moment passes between two looks. */
const untimed = (faults: readonly Fault[]) =>
  faults.map((fault) => ({ ...fault, cause: fault.cause.replace(/by \d+ s/, "by some time") }));

/** Each fault's own look is taken once. */
const looks = new Map<SceneFault, Promise<Look>>();
function lookAt(fault: SceneFault): Promise<Look> {
  const known = looks.get(fault) ?? lookAfter(fault);
  looks.set(fault, known);
  return known;
}

const menders: Readonly<Record<Repair["type"] | "none", SceneFault["mender"]>> = {
  apply: "doctor",
  restart: "doctor",
  sign: "doctor",
  resume: "doctor",
  pulumi: "pulumi",
  remake: "pulumi",
  none: "people",
};

describe("a fault alone", () => {
  test("none of them: the stack as it was deployed", () => {
    expect(findings(healthy.evidence)).toEqual([]);
  });

  test.each(sceneFaults.map((fault) => [fault.name, fault] as const))("%s", async (_, fault) => {
    const found = diagnose((await lookAt(fault)).evidence);
    expect(found.map(({ id }) => id)).toEqual([fault.expects]);
    expect(found[0]!.command).not.toBe("");
    expect(menders[found[0]!.repair?.type ?? "none"]).toBe(fault.mender);
  });

  test("what is said of each stands in the docs", async () => {
    const rows: string[] = [];
    for (const fault of sceneFaults) {
      const [said] = diagnose((await lookAt(fault)).evidence);
      const users = said!.users.map((text) => `"${text}"`).join(", ") || "nothing yet";
      rows.push(`| ${fault.name} | \`${said!.id}\` | ${users} | \`${said!.command}\` |`);
    }
    const head = "| what was done | doctor says | users see | mended by |\n|-|-|-|-|\n";
    const text = `# Faults, as the tests recorded them\n\n${head}${rows.join("\n")}\n`;
    const lasting = text
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME")
      .replaceAll(/127\.0\.0\.1:\d+/g, "HOST");
    const page = await format(lasting, { parser: "markdown" });
    await expect(page).toMatchFileSnapshot("../../docs/faults.md");
  });

  test("many of them are one changed byte", () => {
    expect(faults.filter(({ byte }) => byte).length).toBeGreaterThanOrEqual(15);
  });
});

describe("no fault is found in an odd stack:", () => {
  test.each(oddities.map((odd) => [odd.name, odd] as const))("%s", async (_, odd) => {
    const evidence = await onCopy(deployed, ports, async (scene) => {
      await odd.make(scene);
      return scene.look();
    });
    expect(diagnose(evidence)).toEqual([]);
    expect(warnings(evidence)).toEqual([]);
  });
});

describe("--fix mends by itself, and does nothing the second time:", () => {
  const mended = sceneFaults.filter(({ mender }) => mender === "doctor");

  test.each(mended.map((fault) => [fault.name, fault] as const))("%s", async (_, fault) => {
    await onCopy(deployed, ports, async (scene) => {
      await fault.inject(scene);
      const found = await scene.look();
      const pulumi = () => Promise.reject(new Error("Pulumi was run"));
      const look = () => scene.look();
      const hands = { api: scene.objects, pulumi, look, say: () => undefined };
      const first = await mend(found, hands);
      expect(first.refused).toEqual([]);
      expect(first.done.length).toBeGreaterThan(0);
      expect(diagnose(first.evidence)).toEqual([]);
      expect(await mend(await scene.look(), hands)).toMatchObject({ done: [], refused: [] });
    });
  });
});

describe("two faults are both named, and nothing else:", () => {
  /** What is seen of both; done together where they change the same, else out of both looks. */
  async function lookAtBoth(one: SceneFault, other: SceneFault): Promise<Evidence> {
    const merged = together(healthy, await lookAt(one), await lookAt(other));
    if (merged !== undefined) return merged;
    // Pods keep what is right but for one fault; a damaged file cannot be rewritten; and nothing
    // can be changed in what is gone.
    const rank = ({ byte, expects }: SceneFault) =>
      expects === "pods-outdated" ? 0 : expects.startsWith("missing-") ? 3 : byte ? 2 : 1;
    const order = [one, other].sort((a, b) => rank(a) - rank(b));
    return (await lookAfter(...order)).evidence;
  }

  const pairs = sceneFaults.map((fault, index) => [fault.name, fault, index] as const).slice(1);

  test.each(pairs)("%s, with each of the others", async (_, other, index) => {
    for (const one of sceneFaults.slice(0, index)) {
      const [ofOne, ofOther] = [await lookAt(one), await lookAt(other)].map((look) =>
        findings(look.evidence),
      );
      const found = new Set(findings(await lookAtBoth(one, other)));
      expect(found, one.name).toEqual(visible([one, ofOne!], [other, ofOther!]));
    }
  });

  test("looks put together are what is seen of both together", async () => {
    const byName = (name: string) => sceneFaults.find((fault) => fault.name.includes(name))!;
    for (const [one, other] of [
      ["a byte of Fulcio's key", "Service tuf is deleted"],
      ["a byte of the CT log's tree id", "clock is ten minutes behind"],
      ["Deployment trillian-mysql is deleted", "the TSA is scaled to nothing"],
      ["Helm was killed", "a byte of the TSA's chain"],
    ] as const) {
      const [first, second] = [byName(one), byName(other)];
      const merged = together(healthy, await lookAt(first), await lookAt(second));
      const { evidence } = await lookAfter(first, second);
      expect(untimed(diagnose(merged!)), `${one}, ${other}`).toEqual(untimed(diagnose(evidence)));
    }
  });
});
