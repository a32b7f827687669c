import { request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import { text } from "node:stream/consumers";
import type { KubeConfig } from "@kubernetes/client-node";
import { CannotRun, oneLine } from "../errors.ts";
import { isRecord, type KubeObject, type Ref } from "./kubernetes.ts";

/**
 * The fields that Helm sets are Helm's: with its name, the next upgrade meets no conflict (Helm 3
 * patches without asking, Helm 4 applies as "helm").
 */
const fieldManager = "helm";

interface Call {
  method: "GET" | "POST" | "PATCH" | "DELETE";
  path: string;
  query?: Record<string, string>;
  body?: object;
  contentType?: string;
}

/** Objects of a cluster as plain JSON, since what is compared must be what the server says. */
export class ObjectApi {
  private readonly config: KubeConfig;

  constructor(config: KubeConfig) {
    this.config = config;
  }

  /** The object; undefined when it is not there. @throws CannotRun without the right to look */
  async get(ref: Ref): Promise<KubeObject | undefined> {
    const answer = await this.call({ method: "GET", path: pathOf(ref) });
    return answer as KubeObject | undefined;
  }

  /** All of a kind in a namespace. @throws CannotRun without the right to look */
  async list(apiVersion: string, kind: string, namespace: string): Promise<KubeObject[]> {
    const path = pathOf({ apiVersion, kind, namespace, name: "" });
    const answer = await this.call({ method: "GET", path });
    const items = isRecord(answer) && Array.isArray(answer["items"]) ? answer["items"] : [];
    return items.map((item) => ({ ...(item as KubeObject), apiVersion, kind }));
  }

  /** Makes the object, or sets its fields to these, whoever has changed them (server-side apply). */
  async apply(ref: Ref, object: KubeObject): Promise<void> {
    await this.call({
      method: "PATCH",
      path: pathOf(ref),
      query: { fieldManager, force: "true" },
      body: object,
      contentType: "application/apply-patch+yaml",
    });
  }

  async create(ref: Ref, object: KubeObject): Promise<void> {
    const path = pathOf({ ...ref, name: "" });
    await this.call({ method: "POST", path, query: { fieldManager: "anchorhold" }, body: object });
  }

  /** Changes single fields (RFC 7386). */
  async merge(ref: Ref, change: object): Promise<void> {
    const contentType = "application/merge-patch+json";
    const query = { fieldManager: "anchorhold" };
    await this.call({ method: "PATCH", path: pathOf(ref), query, body: change, contentType });
  }

  /** What is gone already is no error. */
  async delete(ref: Ref): Promise<void> {
    await this.call({ method: "DELETE", path: pathOf(ref) });
  }

  /** The parsed answer; undefined for 404. */
  private async call(call: Call): Promise<unknown> {
    const { status, body } = await this.send(call).catch((error: unknown) => {
      throw new CannotRun(
        `The cluster "${this.config.getCurrentContext()}" does not answer: ${oneLine(error)}. ` +
          "Check KUBECONFIG.",
      );
    });
    if (status === 404 && call.method !== "POST") return undefined;
    const json: unknown = body.startsWith("{") ? JSON.parse(body) : {};
    if (status >= 200 && status < 300) return json;
    const reason = isRecord(json) ? String(json["message"]) : body.slice(0, 200);
    throw new CannotRun(`The cluster refuses ${call.method} ${call.path}: ${reason}`);
  }

  private async send({ method, path, query = {}, body, contentType }: Call) {
    const server = this.config.getCurrentCluster()?.server ?? "";
    const search = new URLSearchParams(query).toString();
    const url = new URL(server.replace(/\/$/, "") + path + (search && `?${search}`));
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const type = payload === undefined ? {} : { "content-type": contentType ?? "application/json" };
    const options: RequestOptions = {
      method,
      timeout: 20_000,
      headers: { accept: "application/json", ...type },
    };
    await this.config.applyToHTTPSOptions(options);
    return await exchange(url, options, payload);
  }
}

function pathOf({ apiVersion, kind, namespace, name }: Ref): string {
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const place = namespace === "" ? "" : `/namespaces/${namespace}`;
  return `${root}${place}/${plural(kind)}${name === "" ? "" : `/${name}`}`;
}

/** The kinds that a stack is made of have regular plurals: policies, ingresses, secrets. */
function plural(kind: string): string {
  const word = kind.toLowerCase();
  return word.endsWith("s") ? `${word}es` : `${word}s`.replace(/ys$/, "ies");
}

function exchange(
  url: URL,
  options: RequestOptions,
  payload: string | undefined,
): Promise<{ status: number; body: string }> {
  const start = url.protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const answered = (response: IncomingMessage) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    };
    const request = start(url, options, answered);
    request.on("timeout", () => request.destroy(new Error("no answer within 20 s")));
    request.on("error", reject);
    request.end(payload);
  });
}
