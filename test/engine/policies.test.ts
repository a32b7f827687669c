import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { policies } from "../../policies/policies.ts";
import type { Values } from "../support/stacks.ts";
import { breaches } from "./support/breaches.ts";
import { SeededProject } from "./support/seeded.ts";
import { openlyIn, secretsOf } from "./support/secrets.ts";
import { ProgramUnderTest } from "./support/stack.ts";

let project: SeededProject;
let program: ProgramUnderTest;

const pack = ["--policy-pack", "policies"];
const standInsTaken = { "stand-ins-local": { local: ["production"] } };

/** The pack with settings of its rules. */
function packWith(config: object): string[] {
  const file = join(project.folder, "rules.json");
  writeFileSync(file, JSON.stringify(config));
  return [...pack, "--policy-pack-config", file];
}

beforeAll(async () => {
  project = new SeededProject();
  program = await ProgramUnderTest.create(undefined, project.folder, "production");
});

afterAll(async () => {
  await program.close();
  project.close();
});

describe("the shipped production stack", () => {
  test("keeps every rule in its first preview, in the update and afterwards", async () => {
    for (const run of [
      (rules: string[]) => program.engine.preview(...rules),
      (rules: string[]) => program.engine.up(...rules),
      (rules: string[]) => program.engine.preview(...rules, "--expect-no-changes"),
    ]) {
      const outcome = (await run(packWith(standInsTaken))).expectSuccess();
      expect(outcome.log.violations).toEqual([]);
      expect(outcome.stdout).toContain("anchorhold@v0.1.0 (local: policies)");
    }
  });
});

describe("a spoiled copy of it", () => {
  afterEach(() => {
    program.configure();
    project.reap();
  });

  test("each rule is broken", () => {
    expect(Object.keys(breaches)).toEqual(policies.map(({ name }) => name));
  });

  test("is refused by every rule in its own words, and no secret is printed", async () => {
    const { state } = await program.engine.exportState({ showSecrets: true });
    const secrets = (state.deployment.resources ?? []).flatMap(secretsOf);
    const all = Object.entries(breaches);
    project.sow(all.flatMap(([, { program: edits = [] }]) => edits));
    program.configure(Object.assign({}, ...all.map(([, { config = {} }]) => config)) as Values);
    const rules = all.flatMap(([name, { rule }]) => (rule === undefined ? [] : [[name, rule]]));
    const refused = await program.engine.preview(
      ...packWith(Object.fromEntries(rules) as object),
      "--diff",
    );
    expect(refused.code).not.toBe(0);
    const said = refused.log.violations.map(({ rule, level }) => `${level} ${rule}`);
    expect(new Set(said)).toEqual(new Set(policies.map(({ name }) => `mandatory ${name}`)));
    for (const { name, description } of policies)
      expect(refused.log.violations.find(({ rule }) => rule === name)?.message).toContain(
        description,
      );
    expect(secrets.length).toBeGreaterThan(9);
    expect(openlyIn({ text: refused.stdout + refused.stderr }, secrets)).toEqual([]);
    expect(JSON.stringify(refused.log.violations)).not.toContain("seeded");
  });

  test("is refused where a Release cannot be rendered", async () => {
    const refused = await program.engine.preview(
      ...packWith({ ...standInsTaken, "images-pinned": { helm: "false" } }),
    );
    expect(refused.code).not.toBe(0);
    const releases = ["ctlog", "fulcio", "rekor-1-server", "trillian", "tsa"];
    expect(refused.log.violations.map(({ message }) => message.split("\n").at(-1)).sort()).toEqual(
      releases.map(
        (name) => `Release ${name}-release cannot be checked: helm template ended with 1`,
      ),
    );
  });

  test("is refused by an update before the resource is touched", async () => {
    project.sow(breaches["images-pinned"]!.program!);
    const refused = await program.engine.up(...packWith(standInsTaken));
    expect(refused.code).not.toBe(0);
    expect(refused.log.violations.map(({ rule }) => rule)).toEqual(["images-pinned"]);
    expect(refused.changes).toEqual([]);
  });
});
