// Jobs in GitLab's own runner, with its shell executor: this project's to their end against the local
// stack, and before that what the runner itself promises them.
import { chmodSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cacheDir } from "../../local/paths.ts";
import { kubeconfigFile } from "../../local/stack/environment.ts";
import { GitLabProject, type Event } from "../support/gitlabCi.ts";
import { file, masked, plain } from "../support/gitlabJob.ts";
import { GitLabNotes } from "../support/gitlabNotes.ts";
import { dependency, GitLabRunner, reported } from "../support/gitlabRunner.ts";
import type { Pipeline, FinishedJob } from "../support/gitlabRunner.ts";
import { describeStack, newToken, projectRoot } from "./support/stack.ts";

const pipeline = `
variables: { GREETING: "hello from $CI_PROJECT_PATH" }
make:
  script:
    - echo "$GREETING, $CI_JOB_STAGE"
    - echo "the password is $PASSWORD"
    - test "$(cat "$SETTINGS")" = "from the settings"
    - case "$SETTINGS" in "$CI_PROJECT_DIR.tmp/"*) echo "a file beside the checkout";; esac
    - echo made > made.txt
    - echo VERSION=7 > build.env
  after_script: ['echo "after it: $CI_JOB_STATUS"']
  artifacts: { paths: [made.txt], reports: { dotenv: build.env } }
take:
  script: [cat made.txt]
fail:
  script: [echo one, exit 7, echo three]
`;

describe("GitLab's own runner", () => {
  let runner: GitLabRunner;
  let app: Pipeline;
  let made: FinishedJob;
  const password = "correct-horse-battery-staple";
  beforeAll(async () => {
    runner = await GitLabRunner.start({ env: process.env });
    const project = await GitLabProject.create("team/app", { ".gitlab-ci.yml": pipeline });
    const repository = await runner.repository(project, "team/app");
    app = { repository, config: await project.config() };
    project.close();
    const settings = [masked("PASSWORD", password), file("SETTINGS", "from the settings")];
    made = await runner.run(app, { name: "make", settings });
  });
  afterAll(() => runner.close());

  test("fetches the commit, gives the job its variables and files, and says how it ended", () => {
    expect(made.state, made.log + made.runner).toBe("success");
    expect(made.log).toContain(`Checking out ${app.repository.sha.slice(0, 8)} as detached HEAD`);
    expect(made.log).toContain("hello from team/app, test\n");
    expect(made.log).toContain("a file beside the checkout\n");
    expect(made.log).toContain("after it: success\n");
  });

  test("hides a masked variable that a script prints", () => {
    expect(made.log).toContain("the password is [MASKED]\n");
    expect(made.raw + made.runner).not.toContain(password);
  });

  test("does not hide what is no masked variable", async () => {
    const shown = await runner.run(app, {
      name: "make",
      settings: [plain("PASSWORD", password), file("SETTINGS", "from the settings")],
    });
    expect(shown.log).toContain(`the password is ${password}\n`);
  });

  test("uploads artifacts and a report, and the next job has them", async () => {
    expect(reported(made)).toMatchObject([{ key: "VERSION", value: "7" }]);
    const dependencies = [dependency(made)];
    const taken = await runner.run(app, { name: "take", dependencies });
    expect(taken.state, taken.log).toBe("success");
    expect(taken.log).toMatch(/^made$/m);
    const without = await runner.run(app, { name: "take" });
    expect(without).toMatchObject({ state: "failed", failureReason: "script_failure" });
  });

  test("a script that fails ends there, with its exit code", async () => {
    const failed = await runner.run(app, { name: "fail" });
    expect(failed).toMatchObject({
      state: "failed",
      failureReason: "script_failure",
      exitCode: 7,
    });
    expect(failed.log).toMatch(/^one$/m);
    expect(failed.log).not.toMatch(/^three$/m);
  });
});

/** Of the job `check`; in the test it is the cheapest, and by hand it may be all of them. */
const suites = (process.env["ANCHORHOLD_RUNNER_SUITES"] ?? "types").split(" ");
/** The engine tests take their time. */
const limitMs = suites.includes("test:engine") ? 3_500_000 : 560_000;

await describeStack("this project's pipeline in GitLab's own runner", (stack) => {
  let gitlab: GitLabNotes;
  let runner: GitLabRunner;
  let project: Pipeline;
  const tools = mkdtempSync(join(tmpdir(), "anchorhold-gitlab-tools-"));
  beforeAll(async () => {
    gitlab = await new GitLabNotes().open();
    // Pulumi with what stands behind it here, as an official installation stands on a runner's PATH.
    writeFileSync(join(tools, "pulumi"), '#!/bin/sh\nexec node local/cli.ts pulumi "$@"\n');
    chmodSync(join(tools, "pulumi"), 0o755);
    const PATH = [tools, process.env["PATH"] ?? ""].join(delimiter);
    // The tests in a job are not these; who deploys, GitLab's variables say.
    const env = { ...process.env, PATH, VITEST: undefined, KUBECONFIG: undefined };
    runner = await GitLabRunner.start({ env });
    const clone = await GitLabProject.cloneOf(projectRoot, "platform/anchorhold");
    const repository = await runner.repository(clone, "platform/anchorhold");
    project = { repository, config: await clone.config() };
    clone.close();
  });
  afterAll(async () => {
    await runner.close();
    await gitlab.close();
    rmSync(tools, { recursive: true, force: true });
  });

  const cloudToken = "cloud-id-token-of-this-test";
  const settings = () => [
    ...[plain("STACK", "local"), file("KUBECONFIG", readFileSync(kubeconfigFile, "utf8"))],
    ...Object.entries(gitlab.variables).map(([key, value]) =>
      key.endsWith("_TOKEN") ? masked(key, value) : plain(key, value),
    ),
    masked("CLOUD_ID_TOKEN", cloudToken),
    // What this machine has already; a runner's cache is empty once, too.
    ...[plain("ANCHORHOLD_CACHE", cacheDir), plain("npm_config_cache", join(homedir(), ".npm"))],
    plain("GOMODCACHE", process.env["GOMODCACHE"] ?? join(homedir(), "go", "pkg", "mod")),
    plain("GOCACHE", process.env["GOCACHE"] ?? join(homedir(), ".cache", "go-build")),
    // The first job installs the packages, the next ones find them.
    plain("GIT_CLEAN_FLAGS", "-ffdx -e node_modules/"),
  ];
  const job = async (name: string, event: Event, ...tokens: string[]) => {
    const own = tokens.map((token) => masked("SIGSTORE_ID_TOKEN", token));
    const request = { name, event, settings: [...settings(), ...own] };
    const finished = await runner.run(project, request, limitMs);
    expect(finished.state, finished.log + finished.runner).toBe("success");
    for (const secret of [cloudToken, ...tokens])
      expect(finished.raw + finished.log + finished.runner).not.toContain(secret);
    return finished;
  };

  test.each(suites)(
    "check of %s runs to its end",
    async (suite) => {
      const { log } = await job(`check: [${suite}]`, "merge request");
      expect(log).toContain('$ npm run --silent "$SUITE"\n');
    },
    limitMs + 40_000,
  );

  test("the first job has installed the packages", () => {
    expect(
      globSync("*/*/*/node_modules/.installed-package-lock.json", { cwd: runner.builds }),
    ).toHaveLength(1);
  });

  test("policy previews every stack with the pack, to its end", async () => {
    const { log } = await job("policy", "merge request");
    for (const name of ["local", "review", "acceptance", "production"])
      expect(log).toContain(`${name} keeps every rule in its first preview`);
  });

  test("preview comments in the merge request, and no secret is in comment or log", async () => {
    const { log, raw, uploads } = await job("preview:review", "merge request");
    expect(gitlab.notes).toHaveLength(1);
    const { body } = gitlab.notes[0]!;
    expect(body).toContain("### Preview of `local`\n");
    expect(body).toMatch(/^Policy Packs run:\n.*\n +anchorhold\|local\|policies +0\.1\.0$/m);
    expect(log).toContain("The preview of local is a comment of merge request !7.");
    for (const secret of [cloudToken, gitlab.variables["ANCHORHOLD_COMMENT_TOKEN"]!])
      expect(raw + log + body).not.toContain(secret);
    expect(uploads).toMatchObject([{ type: "archive" }]);
    expect(uploads[0]!.content.includes("preview.txt")).toBe(true);
  });

  test("an update is verified with the job's own token", async () => {
    const { log } = await job("review", "default branch", await newToken(stack.outputs));
    expect(log).toMatch(/Resources:[^]*unchanged[^]*ok +signing +verify/);
  });

  test("drift compares with the commit that was deployed, verifies and looks for faults", async () => {
    await job("drift:production", "schedule", await newToken(stack.outputs));
  });

  test("nothing that a job was given stays on the runner", () => {
    expect(globSync("*/*/*.tmp", { cwd: runner.builds })).toHaveLength(1);
    const left = globSync("*/*/*.tmp/**", { cwd: runner.builds, withFileTypes: true });
    const files = left.filter((each) => each.isFile());
    for (const { name, parentPath } of files)
      expect(readFileSync(join(parentPath, name), "utf8")).not.toContain(cloudToken);
    expect(files.map(({ name }) => name)).not.toContain("KUBECONFIG");
  });
});
