import * as z from "zod";
import { hostName } from "./fields.ts";
import { clusterIssuer, hostOf, isCluster, issuerProblem, isWildcard } from "./issuerUrls.ts";

/** Says what is missing; other problems keep their words. */
const missing = (what: string) => ({
  error: (issue: { input?: unknown }) =>
    issue.input === undefined ? `is missing: ${what}` : undefined,
});

const issuerUrl = z
  .string(missing("the URL that the issuer's tokens have as iss"))
  .superRefine((text, context) => {
    const message = issuerProblem(text);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  });

/** Names from such a token are the domain's, so each domain has its own issuer. */
const oneIssuerUrl = issuerUrl.refine(
  (issuer) => !isWildcard(issuer),
  "must be one issuer: Fulcio cannot tell whose names these are behind a *",
);

const clientId = z
  .string(missing("the aud of the issuer's tokens; GitLab makes one for each application"))
  .min(1, "must be the aud of the issuer's tokens");

/** Types that need no more than issuer and audience. */
const plain = <const T extends string>(type: T) =>
  z.strictObject({ type: z.literal(type), issuer: issuerUrl, clientId });

/** Of the federated issuer's name, where one issuer stands before others (Dex). */
const issuerClaim = z
  .string()
  .regex(/^\$[.[]\S+$/, "must be a JSONPath such as $.federated_claims.connector_id");

const email = z.strictObject({
  type: z.literal("email"),
  issuer: issuerUrl,
  clientId,
  /** Where a token names the issuer for the certificate, if not in `iss`. */
  issuerClaim: issuerClaim.optional(),
});

const gitLabPipeline = z.strictObject({
  type: z.literal("gitlab-pipeline"),
  issuer: issuerUrl,
  clientId,
  /** Where the projects are, if GitLab's `ci_id_tokens.issuer_url` is another than its own URL. */
  url: z
    .url("must be GitLab's URL, such as https://gitlab.example.com")
    .refine((url) => !/[{}]|\/$/.test(url), "must be GitLab's URL without a slash at its end")
    .optional(),
});

const uri = z
  .strictObject({
    type: z.literal("uri"),
    issuer: oneIssuerUrl,
    clientId,
    /** Scheme and host of every subject. */
    subjectDomain: z
      .url(missing("scheme and host of every subject, such as https://users.example.com"))
      .refine(
        (domain) => hostOf(domain) !== "",
        "must be scheme and host, such as https://users.example.com",
      ),
  })
  .superRefine(({ issuer, subjectDomain }, context) => {
    const hosts = [hostOf(issuer), hostOf(subjectDomain)] as const;
    // Has been reported.
    if (hosts.includes("")) return;
    if (new URL(issuer).protocol !== new URL(subjectDomain).protocol)
      report(context, `must have the scheme of ${issuer}`);
    else if (!areRelated(...hosts)) report(context, foreign(issuer));
  });

const username = z
  .strictObject({
    type: z.literal("username"),
    issuer: oneIssuerUrl,
    clientId,
    /** Follows each name: `name!domain`. */
    subjectDomain: hostName,
  })
  .superRefine(({ issuer, subjectDomain }, context) => {
    if (hostOf(issuer) === "" || !hostName.safeParse(subjectDomain).success) return;
    if (!areRelated(hostOf(issuer), subjectDomain)) report(context, foreign(issuer));
  });

const spiffe = z.strictObject({
  type: z.literal("spiffe"),
  issuer: oneIssuerUrl,
  clientId,
  trustDomain: z
    .string(missing("the trust domain of every subject, such as prod.example.com"))
    .regex(/^[a-z0-9._-]{1,255}$/, "must be a SPIFFE trust domain such as prod.example.com"),
});

function report(context: z.core.$RefinementCtx, message: string): void {
  context.issues.push({ code: "custom", path: ["subjectDomain"], message, input: undefined });
}

const foreign = (issuer: string) =>
  `must end in the same two names as the host of ${issuer}: Fulcio takes no other domain from it`;

/** Fulcio's rule: the same host, or hosts whose last two names are the same (fulcio, pkg/config). */
function areRelated(one: string, other: string): boolean {
  const end = (host: string) => host.split(".").slice(-2);
  const [a, b] = [end(one), end(other)];
  return one === other || (a.length === 2 && a.join(".") === b.join("."));
}

const forms = [
  email,
  gitLabPipeline,
  uri,
  username,
  spiffe,
  plain("kubernetes"),
  plain("github-workflow"),
  plain("buildkite-job"),
  plain("codefresh-workflow"),
  plain("chainguard-identity"),
] as const;

/** What an issuer's tokens name, as Fulcio calls it. */
export const issuerTypes = forms.map(({ shape }) => shape.type.value);

const oneIssuer = z.discriminatedUnion("type", forms, {
  error: (issue) =>
    issue.code === "invalid_union"
      ? `must be one of ${issuerTypes.join(", ")}: docs/issuers.md`
      : undefined,
});

/**
 * `anchorhold:issuers`: who may sign. What it lets through, Fulcio 1.8 loads (pkg/config), and each
 * issuer is told apart from every other by its URL.
 */
export const issuersSchema = z
  .array(oneIssuer)
  .min(1, "must name an issuer: without one nobody can sign");

export type Issuer = z.infer<typeof oneIssuer>;

/** The rules that tie several issuers together, each with its place. */
export function issuersProblems(issuers: readonly Issuer[]): string[] {
  const urls = new Set(issuers.map(({ issuer }) => issuer));
  const asCluster = issuers.find(({ issuer }) => isCluster(issuer) && issuer !== clusterIssuer);
  return [
    ...[...urls].flatMap((url) => twice(issuers.filter(({ issuer }) => issuer === url))),
    ...(asCluster === undefined || urls.has(clusterIssuer)
      ? []
      : [
          `anchorhold:issuers: ${asCluster.issuer} needs ${clusterIssuer} beside it: only where that ` +
            "one is listed does Fulcio read keys with the cluster's CA and its pod's token",
        ]),
  ];
}

function twice(same: readonly Issuer[]): string[] {
  const [first] = same;
  if (first === undefined || same.length === 1) return [];
  const types = new Set(same.map(({ type }) => type));
  const forBoth = types.has("email") && types.has("gitlab-pipeline");
  return [
    `anchorhold:issuers: ${first.issuer} is listed ${same.length} times ` +
      `(${same.map(({ type, clientId: id }) => `${type} for ${id}`).join(", ")}), but Fulcio knows one ` +
      "type and one client for an issuer's URL. " +
      (forBoth
        ? "Leave it to the pipelines, and put a broker such as Dex before the people's login: " +
          "docs/issuers.md, People and pipelines of one GitLab"
        : "Leave one of them"),
  ];
}

/**
 * Where people sign in: the first issuer that names persons, else the first one. Clients disagree
 * about which of several they take, so they are told of one alone.
 */
export function signInIssuer(issuers: readonly { type: string; issuer: string }[]): string {
  const people = issuers.find(
    ({ type, issuer }) => (type === "email" || type === "username") && !isWildcard(issuer),
  );
  const chosen = people ?? issuers[0];
  if (chosen === undefined) throw new Error("there is no issuer, which the schema refuses");
  return chosen.issuer;
}
