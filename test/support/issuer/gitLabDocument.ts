/**
 * What GitLab's discovery document has beyond issuer and keys, as gitlab.com shows it (some scopes are
 * left out), and the endpoint of the device flow, which it does not name.
 */
export function gitLabDocument(issuer: string, namesDeviceEndpoint: boolean): object {
  const at = (path: string) => `${issuer}/oauth/${path}`;
  return {
    authorization_endpoint: at("authorize"),
    token_endpoint: at("token"),
    revocation_endpoint: at("revoke"),
    introspection_endpoint: at("introspect"),
    userinfo_endpoint: at("userinfo"),
    scopes_supported: ["api", "read_api", "read_user", "openid", "profile", "email"],
    response_types_supported: ["code"],
    response_modes_supported: ["query", "fragment", "form_post"],
    grant_types_supported: [
      ...["authorization_code", "password", "client_credentials"],
      ...["device_code", "refresh_token"],
    ],
    token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["RS256"],
    claim_types_supported: ["normal"],
    claims_supported: [
      ...["iss", "sub", "aud", "exp", "iat", "sub_legacy", "name", "nickname"],
      ...["preferred_username", "email", "email_verified", "website", "profile", "picture"],
      ...["groups", "groups_direct"],
    ],
    code_challenge_methods_supported: ["plain", "S256"],
    ...(namesDeviceEndpoint ? { device_authorization_endpoint: at("authorize_device") } : {}),
  };
}
