// What the stand-in refuses: a client that passes it must do what GitLab asks of it.
import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { GitLabStandIn } from "../support/issuer/gitLabStandIn.ts";

let gitLab: GitLabStandIn;
const registered = "http://localhost:8910/auth/callback";
const loopback = "http://127.0.0.1:8910/auth/callback";

beforeAll(async () => {
  gitLab = await GitLabStandIn.start({ redirectUris: [registered, loopback] });
});
afterAll(() => gitLab.close());

const verifier = "v".repeat(43);
const challenge = createHash("sha256").update(verifier).digest("base64url");

async function authorize(changes: Record<string, string> = {}) {
  const query = new URLSearchParams({
    client_id: gitLab.clientId,
    redirect_uri: registered,
    response_type: "code",
    scope: "openid email",
    state: "s",
    code_challenge: challenge,
    code_challenge_method: "S256",
    ...changes,
  });
  const url = `${gitLab.url}/oauth/authorize?${query.toString()}`;
  const response = await fetch(url, { redirect: "manual" });
  const location = response.headers.get("Location");
  return location === null ? await response.json() : new URL(location).searchParams.get("code");
}

async function redeem(
  form: Record<string, string>,
): Promise<{ error?: string; id_token?: string }> {
  const body = new URLSearchParams({
    ...{ client_id: gitLab.clientId, grant_type: "authorization_code", redirect_uri: registered },
    ...form,
  });
  const response = await fetch(`${gitLab.url}/oauth/token`, { method: "POST", body });
  return (await response.json()) as { error?: string; id_token?: string };
}

test("an application's id is 64 hex digits", () => {
  expect(gitLab.clientId).toMatch(/^[0-9a-f]{64}$/);
});

test("a code is good once, for who asked for it", async () => {
  const code = String(await authorize());
  expect(await redeem({ code, code_verifier: verifier })).toHaveProperty("id_token");
  expect(await redeem({ code, code_verifier: verifier })).toEqual({ error: "invalid_grant" });
  const other = String(await authorize());
  const stolen = await redeem({ code: other, code_verifier: "w".repeat(43) });
  expect(stolen).toEqual({ error: "invalid_grant" });
});

test.each([
  ["cosign's own client", { client_id: "sigstore" }, "invalid_client"],
  [
    "another port of localhost",
    { redirect_uri: registered.replace("8910", "1") },
    "invalid_redirect_uri",
  ],
  ["no PKCE", { code_challenge_method: "" }, "invalid_code_challenge_method"],
  ["no openid", { scope: "email" }, "invalid_scope"],
])("%s is refused", async (_what, changes, error) => {
  expect(await authorize(changes)).toEqual({ error });
});

test("another port of a loopback address is taken (RFC 8252)", async () => {
  const code = await authorize({ redirect_uri: loopback.replace("8910", "45678") });
  expect(code).toMatch(/^[0-9a-f]{64}$/);
});

test("the device flow waits for the person, and slows down who asks too often", async () => {
  const ask = async (path: string, form: Record<string, string>) => {
    const body = new URLSearchParams({ client_id: gitLab.clientId, ...form });
    const response = await fetch(`${gitLab.url}/oauth/${path}`, { method: "POST", body });
    return (await response.json()) as Record<string, string>;
  };
  const asked = await ask("authorize_device", { scope: "openid email" });
  const poll = () =>
    ask("token", {
      grant_type: "urn:ietf:params:oauth:grant-type:device_code",
      device_code: asked["device_code"] ?? "",
    });
  expect(await poll()).toEqual({ error: "authorization_pending" });
  expect(await poll()).toEqual({ error: "slow_down" });
  expect((await fetch(asked["verification_uri_complete"] ?? "")).status).toBe(200);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect(await poll()).toHaveProperty("id_token");
  expect(await poll()).toEqual({ error: "invalid_grant" });
});
