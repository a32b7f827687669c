// The few calls to the components' HTTP interfaces that starting a node needs.
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { join } from "node:path";
import { LocalError } from "../errors.ts";
import { addresses, layout } from "./layout.ts";
import { ports } from "./ports.ts";

export interface Answer {
  /** HTTP status; 0 when there was no answer. */
  status: number;
  body: string;
}

interface Call {
  method?: string;
  body?: string;
  contentType?: string;
  /** Certificate name and CA name in the PKI folder. */
  as?: { certificate: string; ca: string };
}

/** One HTTP call with a limit of 10 seconds. Never rejects: no answer is status 0. */
export function call(url: string, options: Call = {}): Promise<Answer> {
  const file = (name: string): Buffer => readFileSync(join(layout.pki, name));
  return new Promise((resolve) => {
    const failed = (error: Error): void => resolve({ status: 0, body: error.message });
    const secure = url.startsWith("https:");
    const request = (secure ? https : http).request(
      url,
      {
        method: options.method ?? "GET",
        timeout: 10_000,
        agent: false,
        headers: options.contentType ? { "content-type": options.contentType } : {},
        ...(options.as
          ? {
              ca: file(`${options.as.ca}.crt`),
              cert: file(`${options.as.certificate}.crt`),
              key: file(`${options.as.certificate}.key`),
            }
          : // Health of a part that makes itself a certificate in memory; nothing secret is sent.
            { rejectUnauthorized: false }),
      },
      (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
        response.on("error", failed);
      },
    );
    request.on("timeout", () => request.destroy(new Error("no answer within 10 s")));
    request.on("error", failed);
    request.end(options.body);
  });
}

/** What keeps a health endpoint from being healthy, undefined if nothing does. */
export async function healthProblem(url: string, as?: Call["as"]): Promise<string | undefined> {
  const { status, body } = await call(url, as ? { as } : {});
  if (status === 200) return undefined;
  return status === 0 ? body : `health answers ${status}: ${body.slice(0, 200)}`;
}

export const apiServerUrl = `https://${addresses.node}:${ports["kube-apiserver"]}`;

const admin = { certificate: "admin", ca: "ca" };

/** GET on the API server as administrator, parsed. */
export async function getObject<T>(path: string): Promise<T> {
  const answer = await call(apiServerUrl + path, { as: admin });
  if (answer.status !== 200) throw apiError(`GET ${path}`, answer);
  return JSON.parse(answer.body) as T;
}

/** Server-side apply of one object at its own path. */
export async function applyObject(path: string, object: object): Promise<void> {
  const answer = await call(`${apiServerUrl}${path}?fieldManager=anchorhold-node&force=true`, {
    method: "PATCH",
    contentType: "application/apply-patch+yaml", // JSON is YAML
    body: JSON.stringify(object),
    as: admin,
  });
  if (answer.status !== 200 && answer.status !== 201) throw apiError(`apply ${path}`, answer);
}

function apiError(what: string, answer: Answer): LocalError {
  return new LocalError(
    `The local node's API server refused: ${what} (${answer.status}): ${answer.body.slice(0, 500)}`,
  );
}
