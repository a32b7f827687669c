import { BlockList, isIP } from "node:net";
import * as z from "zod";
import { cidr, hostName, rangeOf } from "./fields.ts";

const urlRule = "must be the URL of a proxy, such as http://proxy.corp.example:3128";

/** A part of a URL that Go would take but that means nothing for a proxy, or must not be there. */
function proxyProblem(text: string): string | undefined {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return urlRule;
  const { username, password, pathname, search, hash, hostname } = new URL(text);
  if (username !== "" || password !== "")
    return (
      "must have no user or password: it stands in the environment of pods, where everybody who may " +
      "read pods can read it. Let the proxy know the cluster by its addresses"
    );
  if (hostname === "" || pathname !== "/" || search !== "" || hash !== "") return urlRule;
  return undefined;
}

const proxyUrl = z.string({ error: urlRule }).transform((text, context) => {
  const message = proxyProblem(text);
  if (message === undefined) return new URL(text).href.replace(/\/$/, "");
  context.issues.push({ code: "custom", message, input: undefined });
  return z.NEVER;
});

/** As Go reads NO_PROXY: a name with all below it, `.name` for those below it alone, an address, a range. */
const exception = z.union(
  [
    hostName,
    z
      .string()
      .regex(/^\.[a-z0-9]/)
      .refine((text) => hostName.safeParse(text.slice(1)).success),
    z.string().refine((text) => isIP(text) !== 0),
    cidr,
  ],
  { error: "must be a host, a domain such as .corp.example, an address or a range 10.0.0.0/8" },
);

/**
 * `anchorhold:proxy`: what pods that must call outside the cluster go through, by the scheme of what
 * they call. Who runs Pulumi has his own, in his environment.
 */
export const proxySchema = z
  .strictObject({
    http: proxyUrl.optional(),
    https: proxyUrl.optional(),
    /** Beside the cluster's own names: what is called directly. */
    noProxy: z.array(exception).default([]),
  })
  .refine(({ http, https }) => http !== undefined || https !== undefined, {
    error: "must name a proxy: https, http or both",
  });
export type Proxy = z.infer<typeof proxySchema>;

/** Names of the cluster, and of the pod itself, that no proxy could resolve. */
export const clusterNames = ["localhost", "127.0.0.1", "::1", ".svc", ".cluster.local"];

/**
 * Whether a pod calls a URL through the proxy, by the rules of Go's httpproxy, which Fulcio's HTTP
 * client follows.
 * @returns the proxy's URL; undefined where the call is direct
 */
export function proxyFor(url: string, proxy: Proxy | undefined): string | undefined {
  const { protocol, hostname } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, "");
  if (proxy === undefined || isExcepted(host, [...clusterNames, ...proxy.noProxy]))
    return undefined;
  return protocol === "https:" ? proxy.https : proxy.http;
}

function isExcepted(host: string, exceptions: readonly string[]): boolean {
  const family = isIP(host);
  if (family !== 0) return inRanges(host, exceptions);
  return exceptions.some(
    (one) => host === one || host.endsWith(one.startsWith(".") ? one : `.${one}`),
  );
}

function inRanges(address: string, exceptions: readonly string[]): boolean {
  const list = new BlockList();
  const type = (network: string) => (isIP(network) === 4 ? "ipv4" : "ipv6");
  for (const one of exceptions) {
    const range = rangeOf(one);
    if (range !== undefined) list.addSubnet(range.network, range.bits, type(range.network));
    else if (isIP(one) !== 0) list.addAddress(one, type(one));
  }
  return list.check(address, type(address));
}
