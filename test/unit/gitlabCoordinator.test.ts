// What the stand-in asks of a runner, and what it makes a job from: the runner's own tests show the rest.
import { crc32 } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Job } from "../support/gitlabCi.ts";
import { GitLabCoordinator, type JobRecord } from "../support/gitlabCoordinator.ts";
import { jobPayload, masked, plain, type JobRequest } from "../support/gitlabJob.ts";

const image = { name: "image" };
const jobs: Record<string, Job> = {
  check: {
    ...{ stage: "check", image, before_script: ["prepare"], script: ["run"] },
    ...{ variables: { A: "job" }, parallel: { matrix: [{ SUITE: ["lint", "test:unit"] }] } },
  },
  drift: {
    ...{ image, script: ["run"], after_script: ["tidy"], variables: { GIT_DEPTH: "0" } },
    artifacts: { paths: ["x"], reports: { dotenv: "y" } },
  },
};
const config = { variables: { A: "file", B: "$A" }, jobs };
const repository = { id: 7, url: "file:///x.git", path: "team/app", sha: "a".repeat(40) };
const payloadOf = (name: string, more: Partial<JobRequest> = {}) =>
  jobPayload(config, repository, { id: 3, name, ...more });

describe("a job", () => {
  const valueOf = (payload: ReturnType<typeof payloadOf>, name: string) =>
    payload.variables.findLast(({ key }) => key === name)?.value;

  test("of a matrix has its value, and before_script goes before script", () => {
    const payload = payloadOf("check: [test:unit]");
    expect(valueOf(payload, "SUITE")).toBe("test:unit");
    expect(payload.steps).toMatchObject([{ name: "script", script: ["prepare", "run"] }]);
    expect(payload.git_info).toMatchObject({ depth: 20, sha: repository.sha });
  });

  test("has settings before its own variables, those before the file's, and expands none", () => {
    expect(valueOf(payloadOf("check: [lint]"), "A")).toBe("job");
    expect(valueOf(payloadOf("check: [lint]"), "B")).toBe("$A");
    expect(valueOf(payloadOf("check: [lint]", { settings: [plain("A", "set")] }), "A")).toBe("set");
    const { variables } = payloadOf("drift", { settings: [masked("S", "secret")] });
    expect(variables.filter((each) => each.masked).map(({ key }) => key)).toEqual([
      "CI_JOB_TOKEN",
      "S",
    ]);
  });

  test("may want all of the history, a script afterwards and a report", () => {
    const { git_info, steps, artifacts } = payloadOf("drift", { event: "merge request" });
    expect(git_info.depth).toBe(0);
    expect(git_info.refspecs).toContain("+refs/heads/*:refs/remotes/origin/*");
    expect(steps[1]).toMatchObject({ name: "after_script", when: "always", allow_failure: true });
    expect(artifacts.map((each) => each.artifact_type)).toEqual(["archive", "dotenv"]);
  });

  test.each(["none", "check: [none]"])("%s is not there", (name) => {
    expect(() => payloadOf(name)).toThrow(`the pipeline has no job ${name}`);
  });
});

describe("the stand-in", () => {
  let gitlab: GitLabCoordinator;
  let job: JobRecord;
  beforeAll(async () => {
    gitlab = await new GitLabCoordinator().open();
    job = gitlab.offer(payloadOf("drift"));
  });
  afterAll(() => gitlab.close());

  const ask = async (method: string, path: string, body: unknown, token = job.payload.token) => {
    const headers = { "JOB-TOKEN": token, "Content-Type": "application/json" };
    const text = JSON.stringify(body);
    const answer = await fetch(`${gitlab.url}/api/v4/jobs/${path}`, {
      method,
      headers,
      body: text,
    });
    return { code: answer.status, text: await answer.text() };
  };
  const runner = (masking = true, token = gitlab.runnerToken) =>
    ask("POST", "request", {
      token,
      info: { executor: "shell", features: { masking, return_exit_code: true } },
    });
  const append = async (text: string, first: number) => {
    const headers = {
      "JOB-TOKEN": job.payload.token,
      "Content-Range": `${first}-${first + text.length - 1}`,
    };
    const url = `${gitlab.url}/api/v4/jobs/3/trace`;
    const answer = await fetch(url, { method: "PATCH", headers, body: text });
    return [answer.status, answer.headers.get("Range")];
  };

  test("has a job for its own runner, if that hides masked variables; once", async () => {
    expect(await runner(true, "another")).toMatchObject({ code: 403 });
    expect((await runner(false)).text).toMatch(/masking/);
    expect(await runner()).toMatchObject({ code: 201 });
    expect(await runner()).toMatchObject({ code: 204 });
  });

  test("takes the log in order, and the job's end with all of the log", async () => {
    expect(await append("one", 0)).toEqual([202, "0-3"]);
    expect(await append("three", 5)).toEqual([416, "0-3"]);
    const checksum = `crc32:${crc32("one").toString(16).padStart(8, "0")}`;
    const end = (bytesize: number) => ({ state: "success", output: { checksum, bytesize } });
    expect(await ask("PUT", "3", end(2))).toMatchObject({ code: 412 });
    expect(await ask("PUT", "3", end(3), "another")).toMatchObject({ code: 403 });
    expect(await ask("PUT", "3", end(3))).toMatchObject({ code: 200 });
    expect(job).toMatchObject({ state: "success", trace: Buffer.from("one") });
    expect(await ask("PUT", "3", end(3))).toMatchObject({ code: 403 });
  });

  test("knows no other job, and nothing else", async () => {
    expect(await ask("PUT", "4", {})).toMatchObject({ code: 404 });
    expect(await ask("DELETE", "3", {})).toMatchObject({ code: 405 });
  });
});
