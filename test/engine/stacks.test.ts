import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { stacks, type ShippedStack } from "../support/stacks.ts";
import { ProgramUnderTest } from "./support/stack.ts";

let program: ProgramUnderTest;

/** OpenShift has Routes; other clusters do not, and the program refuses those for review. */
const routes = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "routes.route.openshift.io" },
};

async function start(stack: ShippedStack, env?: NodeJS.ProcessEnv): Promise<void> {
  program = await ProgramUnderTest.create(undefined, undefined, stack, env);
  if (stack === "review") program.engine.cluster.put(routes);
}

/** The pack as it is, but for one rule: these stacks have the stand-in chart here. */
function pack(stack: ShippedStack): string[] {
  const file = join(program.engine.folder, "rules.json");
  writeFileSync(file, JSON.stringify({ "stand-ins-local": { local: [stack] } }));
  return ["--policy-pack", "policies", "--policy-pack-config", file];
}

afterEach(() => program.close());

describe("each stack, with names of its own in place of the placeholders", () => {
  // What production does then, and any other stack as well, is in policies.test.ts.
  test.each(stacks)("%s keeps every rule in its first preview", async (stack) => {
    await start(stack);
    const outcome = (await program.engine.preview(...pack(stack))).expectSuccess();
    expect(outcome.log.violations).toEqual([]);
    expect(outcome.stdout).toContain("anchorhold@v0.1.0 (local: policies)");
  });
});

describe("outside local", () => {
  test("placeholders and an image without a digest are refused before anything is made", async () => {
    await start("production");
    program.configure({
      mirror: "registry.example.com/sigstore",
      images: { fulcioServer: "localhost/anchorhold/fulcio:0123456789abcdef" },
    });
    const refused = await program.engine.up();
    expect(refused.code).not.toBe(0);
    expect(refused.errors.join("\n")).toContain(
      [
        "Pulumi.production.yaml has 2 problems; mend them there and run the same command again:",
        "  - anchorhold:images.fulcioServer: localhost/anchorhold/fulcio:0123456789abcdef must be " +
          "pinned by digest outside the stack local: add @sha256: and 64 hex digits",
        "  - anchorhold:mirror: registry.example.com/sigstore is a placeholder: write your own name",
      ].join("\n"),
    );
    expect(program.engine.cluster.all()).toEqual([]);
  });

  test("an empty passphrase is refused by the pack", async () => {
    await start("production", { PULUMI_CONFIG_PASSPHRASE: "" });
    const refused = await program.engine.preview(...pack("production"));
    expect(refused.code).not.toBe(0);
    expect(refused.log.violations.map(({ rule }) => rule)).toEqual(["secrets-provider"]);
    expect(refused.log.violations[0]!.message).toContain("the stack's passphrase is empty");
  });
});
