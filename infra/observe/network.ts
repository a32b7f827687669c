import * as http from "node:http";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { CannotRun } from "./errors.ts";

/**
 * Lets this process trust further CAs for every TLS connection to come that names none itself,
 * beside those that it trusts already (NODE_EXTRA_CA_CERTS among them).
 * @param bundle certificates in PEM; nothing changes if left out
 */
export function trustAlso(bundle: string | undefined): void {
  if (bundle === undefined) return;
  setDefaultCACertificates([...getCACertificates("default"), bundle]);
}

/** Where a forwarded port of the cluster ends: never behind a proxy. */
const here = ["localhost", "127.0.0.1", "::1"];

type Environment = Record<string, string | undefined>;

/**
 * Lets this process go through the proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name, in either
 * case, as programs in Go do by themselves; clients of Kubernetes go by their kubeconfig instead.
 * @throws CannotRun when a variable is no URL; it shows no value, which may have a password
 */
export function useProxy(env: Environment): void {
  const names = ["https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"];
  const wrong = names.find((name) => (env[name] ?? "") !== "" && !isProxy(env[name] ?? ""));
  if (wrong !== undefined)
    throw new CannotRun(
      `${wrong} is no URL of a proxy. Set it to one such as http://proxy.corp.example:3128, or unset it.`,
    );
  if (!names.some((name) => env[name])) return;
  const noProxy = [env["no_proxy"] || env["NO_PROXY"] || "", ...here].filter(Boolean).join(",");
  // The packages of @sigstore read the variables themselves.
  Object.assign(env, { no_proxy: noProxy, NO_PROXY: noProxy });
  // Node 22 does it only from its start, where NODE_USE_ENV_PROXY says so.
  const { setGlobalProxyFromEnv } = http as { setGlobalProxyFromEnv?: (env: Environment) => void };
  setGlobalProxyFromEnv?.(env);
}

function isProxy(text: string): boolean {
  return /^https?:\/\//i.test(text) && URL.canParse(text);
}
