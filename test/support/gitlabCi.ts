// A project on a GitLab that is not there, and gitlab-ci-local to read its pipelines, as GitLab itself
// would: it holds .gitlab-ci.yml against GitLab's schema, which it brings along, follows includes and
// rules, and lists the jobs. What runs them is GitLab's own runner: gitlabRunner.ts.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { parse } from "yaml";
import { mustRun, run, type Run } from "../cluster/support/process.ts";

const program = resolve(import.meta.dirname, "../../node_modules/gitlab-ci-local/dist/index.js");

export const gitlabHost = "gitlab.example.com";

/** What starts a pipeline, as GitLab's variables tell it. */
export const events = {
  "merge request": {
    set: { CI_PIPELINE_SOURCE: "merge_request_event", CI_MERGE_REQUEST_IID: "7" },
    unset: ["CI_COMMIT_BRANCH"],
  },
  "default branch": { set: { CI_PIPELINE_SOURCE: "push" }, unset: [] },
  "another branch": {
    set: { CI_PIPELINE_SOURCE: "push", CI_COMMIT_BRANCH: "topic", CI_COMMIT_REF_NAME: "topic" },
    unset: [],
  },
  "protected tag": {
    set: { CI_PIPELINE_SOURCE: "push", CI_COMMIT_TAG: "v1.0.0", CI_COMMIT_REF_PROTECTED: "true" },
    unset: ["CI_COMMIT_BRANCH"],
  },
  "unprotected tag": {
    set: { CI_PIPELINE_SOURCE: "push", CI_COMMIT_TAG: "v1.0.0", CI_COMMIT_REF_PROTECTED: "false" },
    unset: ["CI_COMMIT_BRANCH"],
  },
  schedule: { set: { CI_PIPELINE_SOURCE: "schedule" }, unset: [] },
} as const;
export type Event = keyof typeof events;

export interface PipelineOptions {
  event?: Event;
  /** Inputs that the include does not give. */
  inputs?: Record<string, string>;
  env?: NodeJS.ProcessEnv;
}

/** A job of a pipeline, as gitlab-ci-local lists it. */
export interface ListedJob {
  name: string;
  stage: string;
  when: string;
  allow_failure: boolean;
  needs?: { job: string }[];
}

/** A job with all that it extends. */
export interface Job {
  stage?: string;
  image: { name: string };
  script: string[];
  before_script?: string[];
  after_script?: string[];
  variables?: Record<string, string>;
  rules?: { if: string; when?: string; allow_failure?: boolean }[];
  environment?: { name: string; action?: string };
  resource_group?: string;
  interruptible?: boolean;
  cache?: unknown[];
  id_tokens?: Record<string, { aud: string }>;
  artifacts?: Artifacts;
  parallel?: { matrix: Record<string, string | string[]>[] };
}

/** What a job leaves, as its file says it. */
export interface Artifacts {
  paths?: string[];
  when?: string;
  expire_in?: string;
  reports?: { dotenv?: string };
}

/** A git repository in a folder of its own. */
export class GitLabProject {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /**
   * @param path on GitLab, such as `team/app`
   * @param files their contents by path
   */
  static async create(path: string, files: Record<string, string>): Promise<GitLabProject> {
    const project = new GitLabProject(mkdtempSync(join(tmpdir(), "anchorhold-gitlab-")));
    for (const [name, text] of Object.entries(files)) project.write(name, text);
    await project.git("init", "--quiet", "--initial-branch", "main");
    await project.git("remote", "add", "origin", `https://${gitlabHost}/${path}.git`);
    await project.git("add", "--all");
    const author = ["-c", "user.name=test", "-c", "user.email=test@example.com"];
    await project.git(...author, "commit", "--quiet", "--no-gpg-sign", "--message", "test");
    return project;
  }

  /** A clone of the repository that a folder is in. */
  static async cloneOf(repository: string, path: string): Promise<GitLabProject> {
    const project = new GitLabProject(mkdtempSync(join(tmpdir(), "anchorhold-gitlab-")));
    await project.git("clone", "--quiet", repository, ".");
    await project.git("remote", "set-url", "origin", `https://${gitlabHost}/${path}.git`);
    return project;
  }

  write(name: string, text: string): void {
    mkdirSync(dirname(join(this.folder, name)), { recursive: true });
    writeFileSync(join(this.folder, name), text);
  }

  git(...args: string[]): Promise<string> {
    return mustRun("git", args, { cwd: this.folder });
  }

  /** The jobs that a pipeline has, in the order of its stages. */
  async jobs(options: PipelineOptions): Promise<ListedJob[]> {
    const all = JSON.parse(json(await this.succeeding(["--list-json"], options))) as ListedJob[];
    return all.filter(({ when }) => when !== "never");
  }

  /** Every job by name, with what it extends, and the pipeline's variables. */
  async config(
    options: PipelineOptions = {},
  ): Promise<{ variables: Record<string, string>; jobs: Record<string, Job> }> {
    const text = await this.succeeding(["--preview"], options);
    const { variables, ...rest } = parse(text.slice(text.indexOf("---"))) as Record<string, object>;
    const jobs = Object.entries(rest).filter(([, value]) => "script" in value);
    return {
      variables: (variables ?? {}) as Record<string, string>,
      jobs: Object.fromEntries(jobs) as unknown as Record<string, Job>,
    };
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async succeeding(args: string[], options: PipelineOptions): Promise<string> {
    const { code, stdout, stderr } = await this.ask(args, options);
    if (code !== 0) throw new Error(`gitlab-ci-local ended with ${code}\n${stdout}\n${stderr}`);
    return stdout;
  }

  /** What gitlab-ci-local says, whatever comes of it. */
  async ask(args: readonly string[], options: PipelineOptions = {}): Promise<Run> {
    const { event = "default branch", inputs = {}, env = process.env } = options;
    const { set, unset } = events[event];
    const result = await run(
      process.execPath,
      [
        program,
        ...["--home", join(this.folder, ".git")],
        ...Object.entries(set).flatMap(pair("--variable")),
        ...unset.flatMap((name) => ["--unset-variable", name]),
        ...Object.entries(inputs).flatMap(pair("--input")),
        ...args,
      ],
      { cwd: this.folder, env: { ...env, FORCE_COLOR: "0" } },
    );
    const { stdout, stderr } = result;
    return {
      ...result,
      stdout: stripVTControlCharacters(stdout),
      stderr: stripVTControlCharacters(stderr),
    };
  }
}

/** The project `platform/anchorhold` with its tag 1.0.0, for includes of other projects. */
export interface Platform {
  /** Makes git find it: the rest of that GitLab is not there. */
  env: Record<string, string>;
  close(): void;
}

export async function platformWith(template: string): Promise<Platform> {
  const files = { "templates/anchorhold/template.yml": template };
  const project = await GitLabProject.create("platform/anchorhold", files);
  await project.git("tag", "1.0.0");
  const folder = mkdtempSync(join(tmpdir(), "anchorhold-gitlab-platform-"));
  await project.git("clone", "--quiet", "--bare", ".", join(folder, "anchorhold.git"));
  project.close();
  return {
    env: {
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: `url.file://${folder}/.insteadOf`,
      GIT_CONFIG_VALUE_0: `https://${gitlabHost}/platform/`,
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

const pair =
  (option: string) =>
  ([name, value]: [string, string]): string[] => [option, `${name}=${value}`];

/** Warnings come before it. */
const json = (text: string): string => text.slice(text.search(/^\[/m));
