/** The issuer of the cluster's own tokens, whose keys Fulcio reads with its pod's token. */
export const clusterIssuer = "https://kubernetes.default.svc";

/** What stands for a `*` where a URL is needed. */
const withoutWildcards = (issuer: string): string => issuer.replaceAll("*", "x");

export const isWildcard = (issuer: string): boolean => issuer.includes("*");

/** Why a text cannot be an issuer; nothing if it can. */
export function issuerProblem(text: string): string | undefined {
  const like = "must be a URL such as https://gitlab.example.com";
  if (!URL.canParse(withoutWildcards(text))) return like;
  const { protocol, username, search, hash } = new URL(withoutWildcards(text));
  if (protocol !== "https:" && protocol !== "http:") return like;
  if (username !== "" || search !== "" || hash !== "")
    return "must be without user, query and fragment (OpenID Connect Discovery 1.0, section 3)";
  const host = text.split("/")[2] ?? "";
  if (isWildcard(host.split(".").slice(-2).join(".")))
    return "must end its host in two names without *, or others could issue tokens: https://*.example.com";
  return undefined;
}

/** Empty for what is no URL. */
export const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).hostname : "");

/** The cluster's own issuer under any of its names: `kubernetes.default.svc.cluster.local`. */
export function isCluster(issuer: string): boolean {
  return /^https:\/\/kubernetes\.default\.svc(\.[^/:]+)?\/?$/.test(issuer);
}

/** Whether only pods can ask the issuer: its host is a Service's name. */
export function isInCluster(issuer: string): boolean {
  const host = hostOf(issuer);
  return host.endsWith(".svc") || host.includes(".svc.");
}
