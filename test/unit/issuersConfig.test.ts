import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { issuerTypes, signInIssuer } from "../../infra/config/issuers.ts";
import { isCluster, isInCluster } from "../../infra/config/issuerUrls.ts";
import { UserError } from "../../infra/errors.ts";
import { fulcioConfig } from "../../infra/scaffold/values.ts";
import { configWith, refusal } from "../support/config.ts";

const gitLab = "https://gitlab.company.test";
const base = { issuer: gitLab, clientId: "sigstore" };
const at = (path: string) => `anchorhold:issuers${path}`;
const parsed = (...issuers: object[]) => configWith({ issuers }).issuers;

describe("issuers", () => {
  test("of every type are taken", () => {
    const further: Record<string, object> = {
      uri: { subjectDomain: "https://users.company.test" },
      username: { subjectDomain: "company.test" },
      spiffe: { trustDomain: "prod.company.test" },
    };
    for (const type of issuerTypes)
      expect(parsed({ ...base, type, ...further[type] })).toMatchObject([{ type }]);
    expect(issuerTypes).toHaveLength(10);
  });

  test.each([
    ["without a client id", { issuer: gitLab, type: "email" }, ".0.clientId: is missing: the aud"],
    ["with an empty one", { ...base, type: "email", clientId: "" }, ".0.clientId: must be the aud"],
    ["without a URL", { clientId: "a", type: "email" }, ".0.issuer: is missing: the URL"],
    ["without a type", base, ".0.type: must be one of email, gitlab-pipeline"],
    ["of no known type", { ...base, type: "gitlab" }, ".0.type: must be one of email"],
    ["with a word too much", { ...base, type: "email", domain: "a" }, ".0: unknown key domain"],
    ["that is no URL", { ...base, type: "email", issuer: "gitlab" }, ".0.issuer: must be a URL"],
    ["by ftp", { ...base, type: "email", issuer: "ftp://a.test" }, ".0.issuer: must be a URL"],
    [
      "with a query",
      { ...base, type: "email", issuer: `${gitLab}?a=1` },
      ".0.issuer: must be without user, query and fragment",
    ],
    [
      "with a password",
      { ...base, type: "email", issuer: "https://a:b@gitlab.test" },
      ".0.issuer: must be without user, query and fragment",
    ],
    [
      "whose wildcard takes anybody's hosts",
      { ...base, type: "kubernetes", issuer: "https://oidc.*.test/id/*" },
      ".0.issuer: must end its host in two names without *",
    ],
    [
      "of names behind a wildcard",
      { ...base, type: "spiffe", issuer: "https://*.company.test", trustDomain: "a" },
      ".0.issuer: must be one issuer",
    ],
    ["of URIs without a domain", { ...base, type: "uri" }, ".0.subjectDomain: is missing: scheme"],
    [
      "of URIs of another domain",
      { ...base, type: "uri", subjectDomain: "https://users.other.test" },
      ".0.subjectDomain: must end in the same two names as the host of https://gitlab.company.test",
    ],
    [
      "of URIs of another scheme",
      { ...base, type: "uri", subjectDomain: "spiffe://company.test" },
      ".0.subjectDomain: must have the scheme of https://gitlab.company.test",
    ],
    [
      "of user names with a scheme",
      { ...base, type: "username", subjectDomain: "https://company.test" },
      ".0.subjectDomain: must be a host name",
    ],
    [
      "of user names of another domain",
      { ...base, type: "username", subjectDomain: "other.test" },
      ".0.subjectDomain: must end in the same two names",
    ],
    [
      "of SPIFFE ids without a trust domain",
      { ...base, type: "spiffe" },
      ".0.trustDomain: is missing",
    ],
    [
      "of SPIFFE ids of a trust domain that is none",
      { ...base, type: "spiffe", trustDomain: "spiffe://Prod" },
      ".0.trustDomain: must be a SPIFFE trust domain",
    ],
    [
      "with a claim that is no path",
      { ...base, type: "email", issuerClaim: "connector_id" },
      ".0.issuerClaim: must be a JSONPath",
    ],
    [
      "with a claim, of another type than email",
      { ...base, type: "uri", subjectDomain: gitLab, issuerClaim: "$.a" },
      ".0: unknown key issuerClaim",
    ],
  ])("%s are refused, with one problem", (_what, issuer, problem) => {
    const said = refusal({ issuers: [issuer] });
    expect(said).toContain(`has 1 problem; `);
    expect(said).toContain(at(problem));
  });

  test("whatever they are, are taken or refused with their place, and never break the program", () => {
    const text = fc.oneof(
      fc.constantFrom(gitLab, "https://a.b.c.test/x", "http://[::1]:80", "https://*", "spiffe://a"),
      fc.webUrl(),
      fc.string(),
    );
    const issuer = fc.record(
      {
        type: fc.constantFrom(...issuerTypes),
        ...{ issuer: text, clientId: text, subjectDomain: text, trustDomain: text, url: text },
      },
      { requiredKeys: ["type"] },
    );
    fc.assert(
      fc.property(fc.array(issuer, { maxLength: 3 }), (issuers) => {
        try {
          expect(Object.keys(fulcioConfig(parsed(...issuers))).length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
          expect((error as Error).message).toContain("  - anchorhold:issuers");
        }
      }),
    );
  });

  test("none are refused", () => {
    expect(refusal({ issuers: [] })).toContain(at(": must name an issuer"));
  });

  test("that are listed twice are refused, and one GitLab for both is told of the broker", () => {
    const twice = [
      { ...base, type: "kubernetes" },
      { ...base, type: "kubernetes", clientId: "other" },
    ];
    expect(refusal({ issuers: twice })).toContain(
      `${at("")}: ${gitLab} is listed 2 times (kubernetes for sigstore, kubernetes for other), but ` +
        "Fulcio knows one type and one client for an issuer's URL. Leave one of them",
    );
    const both = [
      { ...base, type: "email" },
      { ...base, type: "gitlab-pipeline" },
    ];
    const said = refusal({ issuers: both });
    expect(said).toContain("put a broker such as Dex before the people's login: docs/issuers.md");
    expect(said).toContain("has 1 problem; ");
  });

  test("under the cluster's long name need its short one, which Fulcio has the CA for", () => {
    const cluster = (name: string) => ({
      ...{ type: "kubernetes", clientId: "sigstore" },
      issuer: `https://${name}`,
    });
    const long = cluster("kubernetes.default.svc.cluster.local");
    expect(refusal({ issuers: [long] })).toContain(
      "needs https://kubernetes.default.svc beside it",
    );
    expect(parsed(cluster("kubernetes.default.svc"), long)).toHaveLength(2);
  });
});

test("docs/issuers.md has a row for each type", () => {
  const docs = readFileSync(new URL("../../docs/issuers.md", import.meta.url), "utf8");
  const rows = [...docs.matchAll(/^\| `([a-z-]+)` +\|/gm)].map(([, type]) => type);
  expect(rows.sort()).toEqual([...issuerTypes].sort());
});

test("people sign in at the first issuer that names persons, wherever it stands", () => {
  const pipelines = { type: "gitlab-pipeline", issuer: "https://a.test" };
  const people = { type: "email", issuer: "https://b.test" };
  expect(signInIssuer([pipelines, people])).toBe("https://b.test");
  expect(signInIssuer([pipelines])).toBe("https://a.test");
  expect(signInIssuer([pipelines, { ...people, issuer: "https://*.b.test" }])).toBe(
    "https://a.test",
  );
});

test("the cluster's own issuer, and others behind a Service, are known by their names", () => {
  const names = ["https://kubernetes.default.svc", "https://kubernetes.default.svc.cluster.local"];
  expect(names.map(isCluster)).toEqual([true, true]);
  expect(["https://kubernetes.default.svc.a.test/x", gitLab].map(isCluster)).toEqual([
    false,
    false,
  ]);
  expect(
    ["http://dex.dex.svc:5556", "https://dex.dex.svc.cluster.local/dex"].map(isInCluster),
  ).toEqual([true, true]);
  expect([gitLab, "https://svc.company.test"].map(isInCluster)).toEqual([false, false]);
});

describe("what Fulcio is told", () => {
  test("is the local stack's, as it was before there were other types", () => {
    expect(fulcioConfig(configWith().issuers)).toEqual({
      OIDCIssuers: {
        "https://kubernetes.default.svc": {
          IssuerURL: "https://kubernetes.default.svc",
          ClientID: "sigstore",
          Type: "kubernetes",
        },
      },
    });
  });

  test("names each type's own settings", () => {
    const config = fulcioConfig(
      parsed(
        { ...base, type: "uri", subjectDomain: "https://users.company.test" },
        { ...base, issuer: "https://a.test", type: "spiffe", trustDomain: "prod" },
        { ...base, issuer: "https://b.test", type: "email", issuerClaim: "$.iss2" },
        { ...base, issuer: "https://u.c.test", type: "username", subjectDomain: "c.test" },
      ),
    );
    expect(Object.values(config.OIDCIssuers)).toMatchObject([
      { Type: "uri", SubjectDomain: "https://users.company.test" },
      { Type: "spiffe", SPIFFETrustDomain: "prod" },
      { Type: "email", IssuerClaim: "$.iss2" },
      { Type: "username", SubjectDomain: "c.test" },
    ]);
    expect(Object.keys(config)).toEqual(["OIDCIssuers"]);
  });

  test("has wildcards apart, without a URL of their own", () => {
    const issuer = "https://oidc.eks.*.amazonaws.com/id/*";
    expect(fulcioConfig(parsed({ ...base, type: "kubernetes", issuer }))).toEqual({
      OIDCIssuers: {},
      MetaIssuers: { [issuer]: { ClientID: "sigstore", Type: "kubernetes" } },
    });
  });

  test("makes pipelines' names from the job's own GitLab, or from the one that is named", () => {
    const own = fulcioConfig(parsed({ ...base, type: "gitlab-pipeline" }));
    expect(own.OIDCIssuers[gitLab]).toMatchObject({
      ...{ Type: "ci-provider", CIProvider: "gitlab-pipeline" },
    });
    expect(own.CIIssuerMetadata?.["gitlab-pipeline"]?.ExtensionTemplates).toMatchObject({
      SourceRepositoryURI: "{{ .iss }}/{{ .project_path }}",
    });
    const url = "https://git.company.test";
    const other = fulcioConfig(parsed({ ...base, type: "gitlab-pipeline", url }));
    const provider = other.OIDCIssuers[gitLab]?.CIProvider ?? "";
    expect(other.CIIssuerMetadata?.[provider]?.ExtensionTemplates).toMatchObject({
      SourceRepositoryURI: `${url}/{{ .project_path }}`,
    });
    expect(JSON.stringify([own, other])).not.toContain("https://gitlab.com/");
  });
});
