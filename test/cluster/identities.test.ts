// Whom a certificate names, for people and pipelines of a GitLab and for every other kind of issuer
// whose tokens we can make. The issuers are stand-ins on this machine; all else is real.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Issuer } from "../../infra/config/issuers.ts";
import { addresses } from "../../local/node/layout.ts";
import { commandBlocks } from "../support/commandBlocks.ts";
import { personClaims, pipelineClaims } from "../support/issuer/gitLabClaims.ts";
import { GitLabStandIn, somebody } from "../support/issuer/gitLabStandIn.ts";
import { IssuerServer } from "../support/issuer/issuerServer.ts";
import { askFulcio, namedIn, type Named } from "./support/certificateOf.ts";
import { as, Cosign } from "./support/cosign.ts";
import { isOurNode, whySkipped } from "./support/node.ts";
import { freePort, startRegistry, type Registry } from "./support/registry.ts";
import type { Rotation } from "./support/rotation.ts";
import { withIssuers } from "./support/settings.ts";
import { follow, signIn } from "./support/signIn.ts";
import { describeStack, type Stack } from "./support/stack.ts";

const host = addresses.node;

await describeStack("identities", (stack) => {
  describe.skipIf(!isOurNode)(`of issuers on this machine${whySkipped}`, () => suite(stack));
});

function suite(stack: Stack): void {
  const { services } = stack.outputs;
  let people: GitLabStandIn;
  let pipelines: GitLabStandIn;
  let other: Record<"uri" | "username" | "spiffe", IssuerServer>;
  let settings: Rotation;
  let redirectUrl: string;
  let cosign: Cosign;
  let registry: Registry;

  beforeAll(async () => {
    redirectUrl = `http://localhost:${await freePort()}/auth/callback`;
    people = await GitLabStandIn.start({ host, redirectUris: [redirectUrl] });
    pipelines = await GitLabStandIn.start({ host });
    const [uri, username, spiffe] = await Promise.all(
      [1, 2, 3].map(() => IssuerServer.start(host)),
    );
    other = { uri: uri!, username: username!, spiffe: spiffe! };
    const issuers: Issuer[] = [
      { type: "email", issuer: people.url, clientId: people.clientId },
      { type: "gitlab-pipeline", issuer: pipelines.url, clientId: "sigstore" },
      { type: "uri", issuer: other.uri.url, clientId: "sigstore", subjectDomain: `http://${host}` },
      { type: "username", issuer: other.username.url, clientId: "sigstore", subjectDomain: host },
      { type: "spiffe", issuer: other.spiffe.url, clientId: "sigstore", trustDomain: "prod.test" },
      // Loaded, though nobody answers there: the types that only their owners' tokens can try.
      { type: "github-workflow", issuer: "https://github.invalid/_services/token", clientId: "a" },
      { type: "buildkite-job", issuer: "https://buildkite.invalid", clientId: "b" },
      { type: "codefresh-workflow", issuer: "https://codefresh.invalid", clientId: "c" },
      { type: "chainguard-identity", issuer: "https://chainguard.invalid", clientId: "d" },
      { type: "kubernetes", issuer: "https://oidc.eks.*.cloud.invalid/id/*", clientId: "e" },
    ];
    settings = await withIssuers(issuers);
    await settings.begin();
    cosign = await Cosign.initialize(stack);
    registry = await startRegistry(stack.crane);
  });
  afterAll(async () => {
    await settings.restore();
    await cosign.dispose();
    await registry.close();
    for (const issuer of [people, pipelines, ...Object.values(other)]) await issuer.close();
  });

  const blob = async () => {
    await writeFile(cosign.path("blob"), randomBytes(64));
    return ["sign-blob", "blob", "--bundle", "blob.json"];
  };
  const signedAs = async () => namedIn(await readFile(cosign.path("blob.json"), "utf8"));

  test("Fulcio has loaded every configured issuer", async () => {
    const response = await fetch(`${services.fulcio}/api/v2/configuration`);
    const { issuers } = (await response.json()) as { issuers: { issuerType: string }[] };
    const types = issuers.map(({ issuerType }) => issuerType).sort();
    expect(types).toEqual([
      ...["buildkite-job", "chainguard-identity", "ci-provider", "codefresh-workflow", "email"],
      ...["github-workflow", "kubernetes", "kubernetes", "spiffe", "uri", "username"],
    ]);
  });

  describe("a person with a browser", () => {
    /** As docs/signing.md says, with the issuer found by discovery. */
    const login = () => [
      ...["--oidc-client-id", people.clientId],
      ...["--oidc-redirect-url", redirectUrl],
      // What cosign does by itself at a terminal.
      "--fulcio-auth-flow=normal",
    ];
    const identity = () => ({ name: somebody.email, issuer: people.url });

    test("signs an image, which verifies for the e-mail and the issuer", async () => {
      const image = await registry.push("people");
      const signed = await signIn(cosign, "sign", image, ...login());
      expect(signed.code, signed.stderr).toBe(0);
      expect(signed.page).toContain(`${people.url}/oauth/authorize?`);
      const result = await cosign.run("verify", image, ...as(identity()));
      expect(result.code, result.stderr).toBe(0);
      const stranger = { ...identity(), name: "somebody@else.test" };
      const refused = await cosign.run("verify", image, ...as(stranger));
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toContain(`got "${somebody.email}"`);
    });

    test("signs a blob, whose certificate names the e-mail and nothing else", async () => {
      const signed = await signIn(cosign, ...(await blob()), ...login());
      expect(signed.code, signed.stderr).toBe(0);
      expect(await signedAs()).toEqual({
        san: `email:${somebody.email}`,
        extensions: { 1: people.url, 8: people.url, 24: String(somebody.id) },
      });
    });
  });

  describe("a person with another device", () => {
    const login = () => ["--oidc-client-id", people.clientId, "--fulcio-auth-flow=device"];

    test("is refused by cosign where GitLab is as it is installed", async () => {
      const refused = await signIn(cosign, ...(await blob()), ...login());
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toContain("device authorization endpoint not returned by provider");
    });

    test("signs where a proxy names the endpoint", async () => {
      people.namesDeviceEndpoint = true;
      const signed = await signIn(cosign, ...(await blob()), ...login());
      people.namesDeviceEndpoint = false;
      expect(signed.code, signed.stderr).toBe(0);
      expect(signed.stdout).toMatch(/Enter the verification code [0-9A-F]{8} in your browser/);
      expect((await signedAs()).san).toBe(`email:${somebody.email}`);
    });

    test("signs with GitLab as it is installed, by the commands of docs/signing.md", async () => {
      const [block] = commandBlocks().filter(({ text }) => text.includes("oauth/authorize_device"));
      const text = block!.text
        .replace(/^gitlab=.*$/m, `gitlab=${people.url}`)
        .replace(/^client=.*$/m, `client=${people.clientId}`)
        .replace(/^cosign .*$/m, 'printf %s "$SIGSTORE_ID_TOKEN" > token');
      const signed = await follow(spawn("/bin/sh", ["-euc", text], { cwd: cosign.home }));
      expect(signed).toMatchObject({ code: 0, stderr: "" });
      const token = await readFile(cosign.path("token"), "utf8");
      expect(await askFulcio(services.fulcio, token)).toMatchObject({
        san: `email:${somebody.email}`,
      });
    });
  });

  test("an e-mail that GitLab has not verified is refused by Fulcio", async () => {
    const person = { id: 43, email: "new@company.test" };
    const application = { clientId: people.clientId };
    const token = (verified: boolean) =>
      people.key.token(personClaims(people.url, { ...person, verified }, application));
    expect(await askFulcio(services.fulcio, token(true))).toMatchObject({
      san: "email:new@company.test",
    });
    expect(await askFulcio(services.fulcio, token(false))).toEqual({
      refused: expect.stringMatching(/^HTTP 400 .*identity token/) as string,
    });
  });

  describe("a pipeline", () => {
    const file = () =>
      `https://${new URL(pipelines.url).host}/my-group/my-project//.gitlab-ci.yml@refs/heads/feature-branch-1`;
    const sha = "714a629c0b401fdce83e847fc9589983fc6f46bc";

    test("signs with its id_token, and the certificate says all that Fulcio documents", async () => {
      const token = pipelines.jobToken("sigstore");
      const pipeline = await Cosign.initialize(stack, { token: () => Promise.resolve(token) });
      await writeFile(pipeline.path("blob"), randomBytes(64));
      await pipeline.sign("sign-blob", "blob", "--bundle", "blob.json");
      const identity = { name: file(), issuer: pipelines.url };
      const args = ["verify-blob", "blob", "--bundle", "blob.json", ...as(identity)];
      const verified = await pipeline.run(...args);
      const { san, extensions } = namedIn(await readFile(pipeline.path("blob.json"), "utf8"));
      await pipeline.dispose();
      expect(verified.code, verified.stderr).toBe(0);
      expect(san).toBe(`URI:${file()}`);
      const project = `${pipelines.url}/my-group/my-project`;
      expect(extensions).toEqual({
        1: pipelines.url,
        8: pipelines.url,
        9: file(),
        10: sha,
        11: "self-hosted",
        12: project,
        13: sha,
        14: "refs/heads/feature-branch-1",
        15: "20",
        16: `${pipelines.url}/my-group`,
        17: "72",
        18: file(),
        19: sha,
        20: "push",
        21: `${project}/-/jobs/302`,
        22: "internal",
        23: "test-environment2",
        24: "project_path:my-group/my-project:ref_type:branch:ref:feature-branch-1",
      });
    });

    test("of a tag, without an environment, says so", async () => {
      const claims = pipelineClaims(pipelines.url, "sigstore");
      const token = pipelines.jobToken("sigstore", {
        ...{ ref: "v1", ref_type: "tag", environment: undefined },
        ci_config_ref_uri: String(claims["ci_config_ref_uri"]).replace(/@.*/, "@refs/tags/v1"),
      });
      const { san, extensions } = (await askFulcio(services.fulcio, token)) as Named;
      expect(san).toMatch(/@refs\/tags\/v1$/);
      expect(extensions["14"]).toBe("refs/tags/v1");
      expect(extensions).not.toHaveProperty("23");
    });

    const now = () => Math.floor(Date.now() / 1000);
    const badToken = /^HTTP 400 .*There was an error processing the identity token/;
    test.each([
      ["for another audience", () => pipelines.jobToken("vault"), badToken],
      ["that has expired", () => pipelines.jobToken("sigstore", { exp: now() - 10 }), badToken],
      [
        "of an issuer that nobody configured",
        () => pipelines.jobToken("sigstore", { iss: "https://gitlab.invalid" }),
        badToken,
      ],
      [
        "under another issuer's key",
        () => people.jobToken("sigstore", { iss: pipelines.url }),
        badToken,
      ],
      [
        "without a pipeline file",
        () => pipelines.jobToken("sigstore", { ci_config_ref_uri: null }),
        /^HTTP [45]\d\d /,
      ],
    ])("with a token %s is refused", async (_what, token, why) => {
      expect(await askFulcio(services.fulcio, token())).toEqual({
        refused: expect.stringMatching(why) as string,
      });
    });
  });

  test.each([
    ["uri", `http://${host}/users/7`, `URI:http://${host}/users/7`],
    ["spiffe", "spiffe://prod.test/ns/build", "URI:spiffe://prod.test/ns/build"],
    ["username", "alex", "othername:<unsupported>"],
  ] as const)("%s names the subject", async (type, sub, san) => {
    const token = other[type].token({ aud: "sigstore", sub });
    const signer = await askFulcio(services.fulcio, token);
    expect(signer).toMatchObject({ san, extensions: { 8: other[type].url, 24: sub } });
  });

  test.each([
    ["uri", "http://elsewhere.test/users/7"],
    ["spiffe", "spiffe://staging.test/ns/build"],
    ["username", "alex!company.test"],
  ] as const)("%s of somebody else's is refused", async (type, sub) => {
    const token = other[type].token({ aud: "sigstore", sub });
    expect(await askFulcio(services.fulcio, token)).toHaveProperty("refused");
  });
}
