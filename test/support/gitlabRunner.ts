// GitLab Runner itself, built from its Go module, with its shell executor; what it asks GitLab for is
// answered by the stand-in in gitlabCoordinator.ts.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { gunzipSync } from "node:zlib";
import { ensureProgram } from "../../local/tools/gobuild.ts";
import { gitlabRunner } from "../../local/tools/programs.ts";
import { mustRun, run } from "../cluster/support/process.ts";
import type { GitLabProject } from "./gitlabCi.ts";
import { GitLabCoordinator, type JobRecord } from "./gitlabCoordinator.ts";
import { jobPayload, plain, type Dependency, type JobRequest } from "./gitlabJob.ts";
import type { PipelineConfig, Repository, Variable } from "./gitlabJob.ts";

/** How a job has ended. */
export interface FinishedJob extends Omit<JobRecord, "trace"> {
  /** The log as a person reads it. */
  log: string;
  /** All that went into the log, with its control characters. */
  raw: string;
  /** What the runner said of itself. */
  runner: string;
}

export interface RunnerOptions {
  /** Of the machine that the runner is on; PATH reaches jobs too, whatever a login shell makes of it. */
  env: NodeJS.ProcessEnv;
}

/** Of one commit: what runs, and where the runner fetches it. */
export interface Pipeline {
  config: PipelineConfig;
  repository: Repository;
}

/** A runner that takes one job after the other; a project keeps its checkout. */
export class GitLabRunner {
  readonly #program: string;
  readonly #coordinator: GitLabCoordinator;
  readonly #folder = mkdtempSync(join(tmpdir(), "anchorhold-gitlab-runner-"));
  readonly #options: RunnerOptions;
  #jobs = 0;
  #repositories = 0;

  private constructor(program: string, coordinator: GitLabCoordinator, options: RunnerOptions) {
    this.#program = program;
    this.#coordinator = coordinator;
    this.#options = options;
  }

  static async start(options: RunnerOptions): Promise<GitLabRunner> {
    const report = (line: string) => process.stderr.write(`  ${line}\n`);
    const program = await ensureProgram(gitlabRunner, report);
    return new GitLabRunner(program, await new GitLabCoordinator().open(), options);
  }

  /** Where the runner checks projects out, and keeps files for a job beside the checkout. */
  get builds(): string {
    return join(this.#folder, "builds");
  }

  /**
   * A copy of a project for the runner to fetch from.
   * @param path on GitLab, such as `team/app`
   */
  async repository(project: GitLabProject, path: string): Promise<Repository> {
    const bare = join(this.#folder, "repositories", `${path}.git`);
    await mustRun("git", ["clone", "--quiet", "--bare", project.folder, bare]);
    await mustRun("git", ["-C", bare, "update-ref", "refs/heads/main", "HEAD"]);
    const sha = (await mustRun("git", ["-C", bare, "rev-parse", "HEAD"])).trim();
    return { id: 42 + this.#repositories++, url: `file://${bare}`, path, sha };
  }

  /** Hands the runner a job and waits for its end, whatever that is. */
  async run(
    { config, repository }: Pipeline,
    request: Omit<JobRequest, "id">,
    limitMs = 300_000,
  ): Promise<FinishedJob> {
    const payload = jobPayload(config, repository, { ...request, id: ++this.#jobs });
    const record = this.#coordinator.offer(payload);
    const { env } = this.#options;
    const args = ["run-single", "--config", this.#configure(), "--runner", "tests"];
    const { stdout, stderr } = await run(this.#program, [...args, "--max-builds", "1"], {
      cwd: this.#folder,
      env,
      limitMs,
    });
    const { trace, ...rest } = record;
    const raw = trace.toString("utf8");
    return { ...rest, raw, log: readable(raw), runner: stdout + stderr };
  }

  async close(): Promise<void> {
    await this.#coordinator.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Writes what `gitlab-runner register` would, and says where. */
  #configure(): string {
    const cache = join(this.#folder, "cache");
    for (const folder of [this.builds, cache]) mkdirSync(folder, { recursive: true });
    const runner = {
      ...{ name: "tests", executor: "shell", shell: "bash" },
      ...{ url: this.#coordinator.url, token: this.#coordinator.runnerToken },
      ...{ builds_dir: this.builds, cache_dir: cache },
      environment: [`PATH=${this.#options.env["PATH"] ?? ""}`],
    };
    const lines = Object.entries(runner).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
    const file = join(this.#folder, "config.toml");
    writeFileSync(file, ["[[runners]]", ...lines, ""].join("\n"), { mode: 0o600 });
    return file;
  }
}

/** That a job begins with what this one has left. */
export function dependency({ payload, uploads }: FinishedJob): Dependency {
  const archive = uploads.find(({ type }) => type === "archive");
  if (archive === undefined) throw new Error(`${payload.job_info.name} has left no artifacts`);
  const { id, token, job_info } = payload;
  const artifacts_file = { filename: archive.name, size: archive.content.length };
  return { id, token, name: job_info.name, artifacts_file };
}

/** The variables that later jobs have from this one's dotenv report. */
export function reported({ uploads }: FinishedJob): Variable[] {
  const reports = uploads.filter(({ type }) => type === "dotenv");
  const lines = reports.flatMap(({ content }) => gunzipSync(content).toString("utf8").split("\n"));
  return lines.flatMap((line) => {
    const [, key = "", value = ""] = /^(\w+)=(.*)$/.exec(line) ?? [];
    return key === "" ? [] : [plain(key, value)];
  });
}

/**
 * As GitLab shows it: without times, colours and the marks of sections. A line whose time ends in `+`
 * goes on with the one before.
 */
const readable = (raw: string): string =>
  stripVTControlCharacters(raw.replace(/section_(start|end):\d+:\w+(\[.*?\])?\r?/g, ""))
    .replace(/\n[\d-]{10}T[\d:.]+Z \d\d[OE]\+/g, "")
    .replace(/^[\d-]{10}T[\d:.]+Z \d\d[OE] /gm, "");
