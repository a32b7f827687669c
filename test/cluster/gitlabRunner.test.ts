// Jobs in GitLab's own runner, with its shell executor: this project's to their end against the local
// stack, and before that what the runner itself promises them.
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GitLabProject } from "../support/gitlabCi.ts";
import { file, masked, plain } from "../support/gitlabJob.ts";
import { dependency, GitLabRunner, type FinishedJob } from "../support/gitlabRunner.ts";

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
  let app: Awaited<ReturnType<GitLabRunner["project"]>>;
  let made: FinishedJob;
  const password = "correct-horse-battery-staple";
  beforeAll(async () => {
    runner = await GitLabRunner.start({ env: process.env });
    const project = await GitLabProject.create("team/app", { ".gitlab-ci.yml": pipeline });
    app = await runner.project(project, "team/app");
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
    const report = made.uploads.find(({ type }) => type === "dotenv");
    expect(gunzipSync(report!.content).toString()).toBe("VERSION=7\n");
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
