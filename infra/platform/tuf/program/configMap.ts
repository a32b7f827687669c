// One ConfigMap over the Kubernetes API, from inside a pod.
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";

/** What the program needs of a ConfigMap; the rest is written back as it was read. */
export interface ConfigMap {
  metadata: { resourceVersion?: string };
  data?: Record<string, string>;
}

/** An answer other than success. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** HTTP status. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** How a pod reaches the API server: Kubernetes sets and mounts all three. */
export interface Access {
  /** `host:port` of the API server. */
  server: string;
  /** The folder with the service account's `token` and the `ca.crt` of the API server. */
  account: string;
}

/** Milliseconds without a word from the API server after which a call is given up. */
const patience = 20_000;

export class ConfigMapClient {
  readonly #access: Access;
  readonly #path: string;
  readonly #manager: string;

  /** @param manager who the API server notes as the writer */
  constructor(access: Access, namespace: string, name: string, manager = "tuf-signer") {
    this.#access = access;
    this.#path = `/api/v1/namespaces/${namespace}/configmaps/${name}`;
    this.#manager = manager;
  }

  async read(): Promise<ConfigMap> {
    return this.#call("GET");
  }

  /** Fails with status 409 when somebody else has written since `object` was read. */
  async replace(object: ConfigMap): Promise<void> {
    await this.#call("PUT", JSON.stringify(object));
  }

  #call(method: "GET" | "PUT", body?: string): Promise<ConfigMap> {
    const { server, account } = this.#access;
    // Read for each call: Kubernetes renews the token.
    const token = readFileSync(join(account, "token"), "utf8").trim();
    const ca = readFileSync(join(account, "ca.crt"));
    const headers = {
      authorization: `Bearer ${token}`,
      accept: "application/json",
      ...(body !== undefined && { "content-type": "application/json" }),
    };
    const url = new URL(`https://${server}${this.#path}?fieldManager=${this.#manager}`);
    return new Promise((resolve, reject) => {
      const call = request(url, { method, headers, ca, timeout: patience }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          const status = response.statusCode ?? 0;
          if (status === 200) resolve(JSON.parse(text) as ConfigMap);
          else reject(new ApiError(status, `${method} ${url.pathname}: ${reasonOf(status, text)}`));
        });
      });
      call.on("timeout", () => call.destroy(new Error(`${url.host} does not answer`)));
      call.on("error", reject);
      call.end(body);
    });
  }
}

/** The message of a Kubernetes `Status` object, or the answer's beginning. */
function reasonOf(status: number, text: string): string {
  try {
    return `HTTP ${status}: ${(JSON.parse(text) as { message?: string }).message ?? ""}`;
  } catch {
    return `HTTP ${status}: ${text.slice(0, 200)}`;
  }
}
