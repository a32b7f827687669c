// What GitLab hands its runner for one job, made from the configuration that gitlab-ci-local has
// expanded. The shape is common/spec of the runner's own source, which is what reads it.
import { createHash } from "node:crypto";
import { events, gitlabHost, type Artifacts, type Event, type Job } from "./gitlabCi.ts";

/** A variable of a job; a masked one is hidden in its log, one of type file is a path to the job. */
export interface Variable {
  key: string;
  value: string;
  public: boolean;
  masked: boolean;
  file: boolean;
}

const variable = (key: string, value: string, more: Partial<Variable> = {}): Variable => ({
  ...{ key, value, public: false, masked: false, file: false },
  ...more,
});

/** Variables as a project's settings have them, and tokens that GitLab makes for a job. */
export const plain = (key: string, value: string) => variable(key, value);
export const masked = (key: string, value: string) => variable(key, value, { masked: true });
export const file = (key: string, value: string) => variable(key, value, { file: true });

/** A repository that the runner can fetch from. */
export interface Repository {
  /** The project's. */
  id: number;
  url: string;
  /** Where GitLab has the project, such as `team/app`. */
  path: string;
  sha: string;
}

/** The artifacts of an earlier job, which this one begins with. */
export interface Dependency {
  id: number;
  token: string;
  name: string;
  artifacts_file: { filename: string; size: number };
}

export interface JobRequest {
  id: number;
  /** As GitLab names it: `policy`, or `check: [types]` for one of a matrix. */
  name: string;
  event?: Event;
  /** They win over those of the file. */
  settings?: readonly Variable[];
  dependencies?: readonly Dependency[];
}

/** What of the pipeline's configuration a job is made from. */
export interface PipelineConfig {
  variables: Record<string, string>;
  jobs: Record<string, Job>;
}

export type Payload = ReturnType<typeof jobPayload>;

/**
 * The answer to `POST /api/v4/jobs/request`.
 * @throws if the pipeline has no such job
 */
export function jobPayload(config: PipelineConfig, repository: Repository, request: JobRequest) {
  const { id, name, event = "default branch", settings = [], dependencies = [] } = request;
  const { job, matrix } = ofMatrix(config.jobs, name);
  const { stage = "test" } = job;
  const token = `job-token-${id}-${createHash("sha256").update(name).digest("hex")}`;
  const variables = [
    ...predefined(repository, event, { id, name, stage }),
    masked("CI_JOB_TOKEN", token),
    ...shown({ ...config.variables, ...job.variables, ...matrix }),
    ...settings,
  ];
  return {
    id,
    token,
    allow_git_fetch: true,
    job_info: { id, name, stage, project_id: repository.id, project_full_path: repository.path },
    git_info: gitInfo(repository, id, variables),
    runner_info: { timeout: 3600 },
    variables,
    steps: steps(job),
    image: job.image,
    services: [],
    artifacts: artifacts(job.artifacts),
    cache: (job.cache ?? []).map((cache) => ({ ...(cache as object), key: keyOf(cache) })),
    credentials: [],
    dependencies,
    features: { trace_sections: true, token_mask_prefixes: ["glpat-"], failure_reasons: [] },
  };
}

/** `check: [types]` is the job `check` with the variable of its matrix. */
function ofMatrix(jobs: Record<string, Job>, name: string) {
  const [, base = name, value] = /^(.*): \[(\w[\w:-]*)\]$/.exec(name) ?? [];
  const job = jobs[base];
  const row = job?.parallel?.matrix.find((each) => Object.values(each).flat().includes(value!));
  if (job === undefined || (value !== undefined && row === undefined))
    throw new Error(`the pipeline has no job ${name}: ${Object.keys(jobs).join(", ")}`);
  const matrix = Object.fromEntries(Object.keys(row ?? {}).map((key) => [key, value ?? ""]));
  return { job, matrix };
}

const shown = (values: Record<string, string>): Variable[] =>
  Object.entries(values).map(([key, value]) => variable(key, String(value), { public: true }));

/** https://docs.gitlab.com/ci/variables/predefined_variables/, as far as the jobs look at them. */
function predefined(
  { id: projectId, path, sha }: Repository,
  event: Event,
  job: { id: number; name: string; stage: string },
): Variable[] {
  const { set, unset } = events[event];
  const values: Record<string, string> = {
    ...{ CI: "true", GITLAB_CI: "true", CI_CONFIG_PATH: ".gitlab-ci.yml" },
    ...{ CI_SERVER_URL: `https://${gitlabHost}`, CI_SERVER_FQDN: gitlabHost },
    ...{ CI_API_V4_URL: `https://${gitlabHost}/api/v4`, CI_PIPELINE_ID: "1" },
    ...{ CI_JOB_ID: String(job.id), CI_JOB_NAME: job.name, CI_JOB_STAGE: job.stage },
    ...{ CI_PROJECT_ID: String(projectId), CI_PROJECT_PATH: path, CI_DEFAULT_BRANCH: "main" },
    ...{ CI_COMMIT_SHA: sha, CI_COMMIT_REF_NAME: "main", CI_COMMIT_BRANCH: "main" },
    ...set,
  };
  for (const key of unset) delete values[key];
  return shown(values);
}

/** A pipeline has a ref of its own; who wants all of the history gets every branch and tag. */
function gitInfo({ url, sha }: Repository, id: number, variables: readonly Variable[]) {
  const depth = Number(variables.findLast(({ key }) => key === "GIT_DEPTH")?.value ?? 20);
  const all = ["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"];
  const main = "+refs/heads/main:refs/remotes/origin/main";
  return {
    ...{ repo_url: url, repo_object_format: "sha1", sha, before_sha: "0".repeat(40) },
    ...{ ref: "main", ref_type: "branch", depth, protected: true },
    refspecs: [`+${sha}:refs/pipelines/${id}`, ...(depth === 0 ? all : [main])],
  };
}

function steps({ before_script = [], script, after_script = [] }: Job) {
  const step = { timeout: 3600, when: "on_success", allow_failure: false };
  const own = { ...step, name: "script", script: [...before_script, ...script].flat() };
  if (after_script.length === 0) return [own];
  const after = { ...step, when: "always", allow_failure: true };
  return [own, { ...after, name: "after_script", script: after_script.flat() }];
}

/** An archive of the paths; a report is a file of its own. */
function artifacts({ paths = [], reports = {}, when, expire_in }: Artifacts = {}) {
  const common = { untracked: false, exclude: [], when: when ?? "on_success", expire_in };
  const archive = { ...common, name: "", paths, artifact_type: "archive", artifact_format: "zip" };
  const dotenv = { ...common, name: "", artifact_type: "dotenv", artifact_format: "gzip" };
  return [
    ...(paths.length > 0 ? [archive] : []),
    ...(reports.dotenv ? [{ ...dotenv, when: "always", paths: [reports.dotenv] }] : []),
  ];
}

/** By its definition: GitLab takes the commits behind its files, which no test here changes. */
const keyOf = (cache: unknown): string =>
  `${createHash("sha256").update(JSON.stringify(cache)).digest("hex")}-protected`;
