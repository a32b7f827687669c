import { request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import type { KubeConfig } from "@kubernetes/client-node";
import { textAt, type Props } from "../values.ts";
import { ApiError, UnreachableError } from "./cluster.ts";

export interface Call {
  method: "GET" | "POST" | "PATCH" | "DELETE";
  path: string;
  query?: Record<string, string>;
  body?: unknown;
  contentType?: string;
}

/**
 * Calls of the Kubernetes API as plain JSON. The typed clients would drop fields that they do not
 * know, and what is stored in Pulumi's state must be what the server said.
 */
export class RestClient {
  private readonly config: KubeConfig;

  constructor(config: KubeConfig) {
    this.config = config;
  }

  /** The parsed answer; an `ApiError` for any status but 2xx. */
  async call({ method, path, query = {}, body, contentType }: Call): Promise<Props> {
    const server = this.config.getCurrentCluster()?.server;
    if (server === undefined) {
      throw new UnreachableError("no Kubernetes cluster is configured: set KUBECONFIG");
    }
    const search = new URLSearchParams(query).toString();
    const url = new URL(server.replace(/\/$/, "") + path + (search && `?${search}`));
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const options: RequestOptions = {
      method,
      headers: {
        accept: "application/json",
        "user-agent": "pulumi-kubernetes/stand-in",
        ...(payload !== undefined && {
          "content-type": contentType ?? "application/json",
          "content-length": String(Buffer.byteLength(payload)),
        }),
      },
    };
    await this.config.applyToHTTPSOptions(options);
    const send = url.protocol === "https:" ? httpsRequest : httpRequest;
    return parse(await exchange((onResponse) => send(url, options, onResponse), payload));
  }
}

type Send = (onResponse: (response: IncomingMessage) => void) => ReturnType<typeof httpsRequest>;

function exchange(
  send: Send,
  payload: string | undefined,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const request = send((response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
      );
    });
    request.on("error", (error) => reject(new UnreachableError(error.message || String(error))));
    request.end(payload);
  });
}

function parse({ status, text }: { status: number; text: string }): Props {
  const body = text.startsWith("{") ? (JSON.parse(text) as Props) : {};
  if (status >= 200 && status < 300) return body;
  const message = textAt(body, "message") || text || `HTTP ${status}`;
  throw new ApiError(status, textAt(body, "reason"), message);
}
