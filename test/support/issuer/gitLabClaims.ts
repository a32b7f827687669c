import { createHash, randomUUID } from "node:crypto";

/** Claims of a token, by name. */
export type Claims = Readonly<Record<string, unknown>>;

/** A user of GitLab. */
export interface Person {
  id: number;
  email: string;
  /** Whether the address was confirmed. */
  verified: boolean;
}

/**
 * The claims of a person's id_token for an application with the scopes openid and email: those and
 * no others (gitlab, spec/requests/openid_connect_spec.rb), for two minutes (doorkeeper-openid_connect).
 */
export function personClaims(
  issuer: string,
  { id, email, verified }: Person,
  application: { clientId: string; nonce?: string | undefined },
): Claims {
  const now = Math.floor(Date.now() / 1000);
  return {
    iss: issuer,
    sub: String(id),
    aud: application.clientId,
    exp: now + 120,
    iat: now,
    ...(application.nonce === undefined ? {} : { nonce: application.nonce }),
    auth_time: now - 60,
    sub_legacy: createHash("sha256").update(`${id}-secret`).digest("hex"),
    email,
    email_verified: verified,
    groups_direct: ["my-group"],
  };
}

/**
 * The claims of a job's id_token (gitlab, lib/gitlab/ci/jwt.rb, jwt_v2.rb and
 * doc/ci/secrets/id_token_authentication.md), of a job that deploys to an environment.
 */
export function pipelineClaims(issuer: string, aud: string): Claims {
  const now = Math.floor(Date.now() / 1000);
  const sha = "714a629c0b401fdce83e847fc9589983fc6f46bc";
  return {
    namespace_id: "72",
    namespace_path: "my-group",
    project_id: "20",
    project_path: "my-group/my-project",
    user_id: "1",
    user_login: "sample-user",
    user_email: "sample-user@gitlab.test",
    user_access_level: "developer",
    job_project_id: "20",
    job_project_path: "my-group/my-project",
    job_namespace_id: "72",
    job_namespace_path: "my-group",
    pipeline_id: "574",
    pipeline_source: "push",
    job_id: "302",
    ref: "feature-branch-1",
    ref_type: "branch",
    ref_path: "refs/heads/feature-branch-1",
    ref_protected: "false",
    environment: "test-environment2",
    environment_protected: "false",
    deployment_tier: "testing",
    environment_action: "start",
    runner_id: 1,
    runner_environment: "self-hosted",
    sha,
    project_visibility: "internal",
    ci_config_ref_uri: `${new URL(issuer).host}/my-group/my-project//.gitlab-ci.yml@refs/heads/feature-branch-1`,
    ci_config_sha: sha,
    jti: randomUUID(),
    iss: issuer,
    iat: now,
    nbf: now - 5,
    exp: now + 300,
    sub: "project_path:my-group/my-project:ref_type:branch:ref:feature-branch-1",
    aud,
  };
}
