// Notes of a merge request, by GitLab's REST API (https://docs.gitlab.com/api/notes/).
import * as z from "zod";
import { CannotRun, oneLine } from "../errors.ts";

/** The merge request of this pipeline, and the token to comment in it. */
export interface MergeRequest {
  /** CI_API_V4_URL */
  api: string;
  /** CI_PROJECT_ID */
  project: string;
  /** CI_MERGE_REQUEST_IID */
  iid: string;
  token: string;
}

const note = z.object({ id: z.number(), body: z.string(), author: z.object({ id: z.number() }) });
type Note = z.infer<typeof note>;

/**
 * The merge request that GitLab's variables name, or why there is nothing to comment in.
 */
export function mergeRequestOf(env: NodeJS.ProcessEnv): MergeRequest | { without: string } {
  const api = env["CI_API_V4_URL"];
  const project = env["CI_PROJECT_ID"];
  const iid = env["CI_MERGE_REQUEST_IID"];
  if (!api || !project || !iid) return { without: "this is no merge request's pipeline" };
  const token = env["ANCHORHOLD_COMMENT_TOKEN"];
  return token
    ? { api, project, iid, token }
    : { without: "ANCHORHOLD_COMMENT_TOKEN is not set (docs/gitlab.md)" };
}

/**
 * Replaces our note that begins with the marker, or makes it.
 * @throws CannotRun with what GitLab answered, never with the token
 */
export async function putNote(at: MergeRequest, marker: string, body: string): Promise<void> {
  const notes = `/projects/${at.project}/merge_requests/${at.iid}/notes`;
  const id = await ourNote(at, notes, marker);
  if (id === undefined) await ask(at, "POST", notes, { body });
  else await ask(at, "PUT", `${notes}/${id}`, { body });
}

/** Somebody else's note may begin with the marker too: it is not ours to change. */
async function ourNote(at: MergeRequest, notes: string, marker: string) {
  const me = z.object({ id: z.number() }).parse((await ask(at, "GET", "/user")).json).id;
  const isOurs = ({ author, body }: Note) => author.id === me && body.startsWith(marker);
  for (let page = "1"; page !== "";) {
    const { json, nextPage } = await ask(at, "GET", `${notes}?per_page=100&page=${page}`);
    const found = z.array(note).parse(json).find(isOurs);
    if (found !== undefined) return found.id;
    page = nextPage;
  }
  return undefined;
}

async function ask(
  { api, token }: MergeRequest,
  method: "GET" | "POST" | "PUT",
  path: string,
  body?: object,
): Promise<{ json: unknown; nextPage: string }> {
  const request = {
    method,
    headers: { "PRIVATE-TOKEN": token, "Content-Type": "application/json" },
    signal: AbortSignal.timeout(30_000),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  };
  const where = `GitLab, ${method} ${path.split("?")[0]}`;
  const answer = await fetch(`${api}${path}`, request).catch((error: unknown) => {
    throw new CannotRun(`${where}: ${oneLine(error)}`);
  });
  if (!answer.ok)
    throw new CannotRun(
      `${where}: HTTP ${answer.status}. ANCHORHOLD_COMMENT_TOKEN must be a project access token ` +
        "with the scope api and the role Reporter (docs/gitlab.md)",
    );
  return { json: await answer.json(), nextPage: answer.headers.get("x-next-page") ?? "" };
}
