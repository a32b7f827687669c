import { afterEach, describe, expect, test, vi } from "vitest";
import { askPulumi, pulumiCommand, runPulumi, stackFlag } from "../../../cli/pulumi.ts";

afterEach(() => vi.unstubAllEnvs());

describe("the command that runs Pulumi", () => {
  test.each([
    [{}, ["pulumi"]],
    [{ ANCHORHOLD_PULUMI: "" }, ["pulumi"]],
    [{ ANCHORHOLD_PULUMI: "node local/cli.ts pulumi" }, ["node", "local/cli.ts", "pulumi"]],
  ])("%j: %j", (env, expected) => expect(pulumiCommand(env)).toEqual(expected));

  test("gets its input, and its output and exit code come back", async () => {
    vi.stubEnv("ANCHORHOLD_PULUMI", "node");
    const script =
      "process.stdin.pipe(process.stdout); console.error('said'); process.exitCode = 3";
    const result = await runPulumi(["-e", script], { stdio: "capture", input: "the state" });
    expect(result).toEqual({ code: 3, stdout: "the state", stderr: "said\n" });
  });

  test("runs in the project's folder", async () => {
    vi.stubEnv("ANCHORHOLD_PULUMI", "node");
    const { stdout } = await runPulumi(["-p", "require('node:fs').existsSync('Pulumi.yaml')"], {
      stdio: "capture",
    });
    expect(stdout).toBe("true\n");
  });

  test("that fails says what it was and why", async () => {
    vi.stubEnv("ANCHORHOLD_PULUMI", "node");
    const script = "console.error('no such stack'); process.exit(1)";
    await expect(askPulumi(["-e", script, "--"])).rejects.toThrow(
      /^pulumi -e .* failed: no such stack$/,
    );
  });

  test("that is not there is named with the remedy", async () => {
    vi.stubEnv("ANCHORHOLD_PULUMI", "no-such-program");
    await expect(runPulumi([], { stdio: "capture" })).rejects.toThrow(
      /no-such-program is not on PATH.*ANCHORHOLD_PULUMI/,
    );
  });
});

test("a stack is named or left to Pulumi", () => {
  expect(stackFlag("review")).toEqual(["--stack", "review"]);
  expect(stackFlag(undefined)).toEqual([]);
});
