import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { crc32 } from "node:zlib";
import { z } from "zod";
import type { Payload } from "./gitlabJob.ts";

/** A file that a job has uploaded: its archive (zip), or a report such as dotenv (gzip). */
export interface Upload {
  type: string;
  name: string;
  content: Buffer;
}

/** A job as its runner has left it. */
export interface JobRecord {
  payload: Payload;
  state: "pending" | "running" | "success" | "failed";
  failureReason?: string;
  exitCode?: number;
  /** The log, byte by byte as GitLab would keep it. */
  trace: Buffer;
  uploads: Upload[];
}

interface Answer {
  code: number;
  json?: unknown;
  body?: Buffer;
  headers?: Record<string, string>;
}

const mebibyte = 1024 * 1024;

/** Only a runner that hides masked variables and reports how its job ended gets one. */
const jobRequest = z.object({
  token: z.string(),
  info: z.object({
    executor: z.literal("shell"),
    features: z.object({ masking: z.literal(true), return_exit_code: z.literal(true) }),
  }),
});

const jobUpdate = z.object({
  state: z.enum(["running", "success", "failed"]),
  failure_reason: z.string().optional(),
  exit_code: z.int().optional(),
  output: z.object({ checksum: z.string().optional(), bytesize: z.int().optional() }).optional(),
});

/**
 * Stands in for what of GitLab a runner speaks to (https://docs.gitlab.com/development/ci_runner/ and
 * network/gitlab.go of the runner): it hands out the jobs that it is given, keeps their logs and
 * artifacts, and knows how each ended. It listens on 127.0.0.1 alone.
 */
export class GitLabCoordinator {
  /** A runner's own, as `gitlab-runner register` would store it. */
  readonly runnerToken = "glrt-stand-in-for-a-runners-token";
  readonly #jobs = new Map<number, JobRecord>();
  readonly #server = createServer((request, response) => {
    void this.#answer(request)
      .catch((error: unknown): Answer => ({ code: 400, json: { message: String(error) } }))
      .then(({ code, json, body, headers = {} }) => {
        const type = body === undefined ? "application/json" : "application/octet-stream";
        response.writeHead(code, { "Content-Type": type, ...headers });
        response.end(body ?? (json === undefined ? undefined : JSON.stringify(json)));
      });
  });

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  async open(): Promise<this> {
    await new Promise<void>((done) => this.#server.listen(0, "127.0.0.1", done));
    return this;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  /** The next runner that asks gets the job. */
  offer(payload: Payload): JobRecord {
    const record: JobRecord = { payload, state: "pending", trace: Buffer.alloc(0), uploads: [] };
    this.#jobs.set(payload.id, record);
    return record;
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const { pathname, searchParams } = new URL(request.url!, this.url);
    const at = `${request.method} ${pathname}`;
    if (at === "POST /api/v4/jobs/request") return this.#next(await json(request, jobRequest));
    const [, method, id, rest] =
      /^(\w+) \/api\/v4\/jobs\/(\d+)(|\/trace|\/artifacts)$/.exec(at) ?? [];
    const job = this.#jobs.get(Number(id));
    if (job === undefined) return { code: 404, json: { message: "404 Not Found" } };
    if (request.headers["job-token"] !== job.payload.token)
      return { code: 403, json: { message: "403 Forbidden" } };
    switch (`${method}${rest}`) {
      case "PUT":
        return update(job, await json(request, jobUpdate));
      case "PATCH/trace":
        return append(job, request.headers["content-range"], await read(request, mebibyte));
      case "POST/artifacts":
        return upload(job, searchParams.get("artifact_type") ?? "archive", request);
      case "GET/artifacts":
        return download(job);
      default:
        return { code: 405, json: { message: "405 Method Not Allowed" } };
    }
  }

  #next({ token }: z.infer<typeof jobRequest>): Answer {
    if (token !== this.runnerToken) return { code: 403, json: { message: "403 Forbidden" } };
    const job = [...this.#jobs.values()].find(({ state }) => state === "pending");
    if (job === undefined) return { code: 204 };
    job.state = "running";
    return { code: 201, json: job.payload };
  }
}

/** The end of a job, with a log that must have come over whole. */
function update(job: JobRecord, asked: z.infer<typeof jobUpdate>): Answer {
  if (job.state !== "running") return { code: 403, headers: { "Job-Status": job.state } };
  const { state, output, failure_reason, exit_code } = asked;
  const sum = `crc32:${crc32(job.trace).toString(16).padStart(8, "0")}`;
  if (state !== "running" && (output?.checksum !== sum || output.bytesize !== job.trace.length))
    return { code: 412, json: { message: `the log is ${job.trace.length} bytes, ${sum}` } };
  job.state = state;
  if (failure_reason !== undefined) job.failureReason = failure_reason;
  if (exit_code !== undefined) job.exitCode = exit_code;
  return { code: 200, json: state, headers: { "Job-Status": state } };
}

/** A piece of the log, which must begin where the last one has ended. */
function append(job: JobRecord, range: string | undefined, piece: Buffer): Answer {
  const [, first] = /^(\d+)-\d+$/.exec(range ?? "") ?? [];
  const fits = Number(first) === job.trace.length;
  if (fits) job.trace = Buffer.concat([job.trace, piece]);
  const headers = { "Job-Status": job.state, Range: `0-${job.trace.length}` };
  return { code: fits ? 202 : 416, json: null, headers };
}

async function upload(job: JobRecord, type: string, request: IncomingMessage): Promise<Answer> {
  const headers = { "Content-Type": request.headers["content-type"] ?? "" };
  const body = new Uint8Array(await read(request, 64 * mebibyte));
  const file = (await new Response(body, { headers }).formData()).get("file");
  if (!(file instanceof File)) return { code: 400, json: { message: "no file" } };
  const content = Buffer.from(await file.arrayBuffer());
  job.uploads.push({ type, name: file.name, content });
  return { code: 201, json: { message: "201 Created" } };
}

function download({ uploads }: JobRecord): Answer {
  const archive = uploads.find(({ type }) => type === "archive");
  if (archive === undefined) return { code: 404, json: { message: "404 Not Found" } };
  return { code: 200, body: archive.content };
}

/** @throws if there is more than the limit, in bytes */
async function read(request: IncomingMessage, limit: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > limit) throw new Error(`more than ${limit} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

const json = async <T>(request: IncomingMessage, shape: z.ZodType<T>): Promise<T> =>
  shape.parse(JSON.parse((await read(request, mebibyte)).toString("utf8")));
