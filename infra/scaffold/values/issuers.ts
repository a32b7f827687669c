import type { Issuer } from "../../config/issuers.ts";
import { isWildcard } from "../../config/issuerUrls.ts";

/** One token issuer in Fulcio's config.json (fulcio, pkg/config: OIDCIssuer). */
export interface OidcIssuer {
  /** Left out for a wildcard, which is its own key. */
  IssuerURL?: string;
  ClientID: string;
  Type: Exclude<Issuer["type"], "gitlab-pipeline"> | "ci-provider";
  /** A key of `CIIssuerMetadata`. */
  CIProvider?: string;
  IssuerClaim?: string;
  SubjectDomain?: string;
  SPIFFETrustDomain?: string;
  /** PEM of the CA that the issuer's own certificate comes from. */
  CACert?: string;
}

/** Issuers by their URL. */
export type OidcIssuers = Readonly<Record<string, OidcIssuer>>;

/** How claims become a certificate's extensions: Go templates, or the names of claims. */
export interface CiMetadata {
  DefaultTemplateValues: Readonly<Record<string, string>>;
  ExtensionTemplates: Readonly<Record<string, string>>;
  SubjectAlternativeNameTemplate: string;
}

/** Fulcio's config.json. */
export interface FulcioConfig {
  OIDCIssuers: OidcIssuers;
  /** Issuers whose URLs have a `*`, for one name in a host or path. */
  MetaIssuers?: OidcIssuers;
  CIIssuerMetadata?: Readonly<Record<string, CiMetadata>>;
}

/** What Fulcio is told of the configured issuers; it knows one client and one type for a URL. */
export function fulcioConfig(issuers: readonly Issuer[]): FulcioConfig {
  const entries = (wild: boolean) =>
    issuers
      .filter(({ issuer }) => isWildcard(issuer) === wild)
      .map((one) => [one.issuer, oidcIssuer(one)] as const);
  const meta = Object.fromEntries(entries(true));
  const providers = Object.fromEntries(
    issuers.flatMap((one) =>
      one.type === "gitlab-pipeline" ? [[gitLabProvider(one), gitLabMetadata(one)]] : [],
    ),
  ) as Record<string, CiMetadata>;
  return {
    OIDCIssuers: Object.fromEntries(entries(false)),
    ...(Object.keys(meta).length > 0 ? { MetaIssuers: meta } : {}),
    ...(Object.keys(providers).length > 0 ? { CIIssuerMetadata: providers } : {}),
  };
}

function oidcIssuer(issuer: Issuer): OidcIssuer {
  const base = {
    ...(isWildcard(issuer.issuer) ? {} : { IssuerURL: issuer.issuer }),
    ClientID: issuer.clientId,
  };
  switch (issuer.type) {
    case "email":
      return {
        ...base,
        Type: issuer.type,
        ...(issuer.issuerClaim === undefined ? {} : { IssuerClaim: issuer.issuerClaim }),
      };
    case "uri":
    case "username":
      return { ...base, Type: issuer.type, SubjectDomain: issuer.subjectDomain };
    case "spiffe":
      return { ...base, Type: issuer.type, SPIFFETrustDomain: issuer.trustDomain };
    case "gitlab-pipeline":
      return { ...base, Type: "ci-provider", CIProvider: gitLabProvider(issuer) };
    case "kubernetes":
    case "github-workflow":
    case "buildkite-job":
    case "codefresh-workflow":
    case "chainguard-identity":
      return { ...base, Type: issuer.type };
  }
}

type GitLab = Extract<Issuer, { type: "gitlab-pipeline" }>;

const gitLabProvider = ({ url }: GitLab): string =>
  url === undefined ? "gitlab-pipeline" : `gitlab-pipeline ${url}`;

/**
 * What a job's claims become, as Fulcio's docs/oid-info.md says. Fulcio's own type `gitlab-pipeline`
 * would write https://gitlab.com/ into every certificate, whichever GitLab the job ran on; so we
 * give it the templates that the public instance has, with the job's own GitLab in them.
 */
function gitLabMetadata({ url }: GitLab): CiMetadata {
  const server = url ?? "{{ .iss }}";
  // Of a claim that is null Fulcio makes "<nil>", one name for all such jobs; a claim that nobody has
  // ends the request instead.
  const pipelineFile =
    'https://{{ if eq .ci_config_ref_uri "<nil>" "" }}{{ .job_without_pipeline_file }}{{ end }}' +
    "{{ .ci_config_ref_uri }}";
  return {
    // Only jobs that deploy have it.
    DefaultTemplateValues: { environment: "" },
    ExtensionTemplates: {
      BuildSignerURI: pipelineFile,
      BuildSignerDigest: "ci_config_sha",
      RunnerEnvironment: "runner_environment",
      SourceRepositoryURI: `${server}/{{ .project_path }}`,
      SourceRepositoryDigest: "sha",
      SourceRepositoryRef:
        'refs/{{ if eq .ref_type "branch" }}heads{{ else }}tags{{ end }}/{{ .ref }}',
      SourceRepositoryIdentifier: "project_id",
      SourceRepositoryOwnerURI: `${server}/{{ .namespace_path }}`,
      SourceRepositoryOwnerIdentifier: "namespace_id",
      BuildConfigURI: pipelineFile,
      BuildConfigDigest: "ci_config_sha",
      BuildTrigger: "pipeline_source",
      RunInvocationURI: `${server}/{{ .project_path }}/-/jobs/{{ .job_id }}`,
      SourceRepositoryVisibilityAtSigning: "project_visibility",
      DeploymentEnvironment: "environment",
    },
    SubjectAlternativeNameTemplate: pipelineFile,
  };
}
