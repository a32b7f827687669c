// The template for other projects, in GitLab's own runner and against the local stack.
import { copyFileSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GitLabProject, gitlabHost, platformWith, type Platform } from "../support/gitlabCi.ts";
import { masked, plain, type Repository, type Variable } from "../support/gitlabJob.ts";
import { dependency, GitLabRunner, reported, type FinishedJob } from "../support/gitlabRunner.ts";
import { as, Cosign } from "./support/cosign.ts";
import { expectEvidence } from "./support/evidence.ts";
import { startRegistry, type Registry } from "./support/registry.ts";
import { describeStack, newToken, probeIdentity, projectRoot } from "./support/stack.ts";
import type { Identity } from "./support/stack.ts";

const read = (file: string) => readFileSync(join(projectRoot, file), "utf8");
const template = read("templates/anchorhold/template.yml");

/** The three lines that docs/gitlab.md shows. */
const [, threeLines = ""] = /```yaml\n(include:\n.*\n.*\n)```/.exec(read("docs/gitlab.md")) ?? [];

/** What a project builds before: a program, a document on it, and an image that is pushed already. */
const build = `
build:
  stage: build
  script:
    - mkdir dist
    - date > dist/app
    - date > dist/other
    - echo '{"bomFormat":"CycloneDX","specVersion":"1.6","components":[]}' > sbom.cdx.json
    - echo "IMAGE=$PUSHED" > build.env
  artifacts:
    paths: [dist/, sbom.cdx.json]
    reports: { dotenv: build.env }
`;

await describeStack("the template for GitLab CI", (stack) => {
  let folder: string;
  let registry: Registry;
  let identity: Identity;
  let cosign: Cosign;
  let platform: Platform;
  let env: NodeJS.ProcessEnv;
  let runner: GitLabRunner;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "anchorhold-gitlab-home-"));
    registry = await startRegistry(stack.crane);
    identity = await probeIdentity(stack.outputs);
    cosign = await Cosign.initialize(stack);
    platform = await platformWith(template);
    env = {
      PATH: [dirname(stack.cosign), process.env["PATH"] ?? ""].join(delimiter),
      HOME: folder,
      ...platform.env,
    };
    runner = await GitLabRunner.start({ env });
  });
  afterAll(async () => {
    await runner.close();
    platform.close();
    await cosign.dispose();
    await registry.close();
    rmSync(folder, { recursive: true, force: true });
  });

  describe("the template", () => {
    let signed: FinishedJob;
    let image: string;
    let token: string;
    const password = "registry-password-1234";

    /** The cluster vouches for the probe here, instead of GitLab for a pipeline. */
    const probe = () => ({ identity: identity.name, issuer: identity.issuer });
    /** Of the checkout as the job that signs has left it. */
    const built = (name: string) => globSync(`*/*/*/dist/${name}`, { cwd: runner.builds })[0] ?? "";

    /** What the platform's group and GitLab give each job. */
    const settings = (own: Variable[] = []) => [
      plain("ANCHORHOLD_MIRROR", stack.outputs.mirror.url),
      plain("ANCHORHOLD_ROOT_SHA256", stack.outputs.mirror.rootSha256),
      plain("ANCHORHOLD_COSIGN_IMAGE", "registry.example.com/cosign"),
      ...[plain("CI_REGISTRY", registry.host), plain("CI_REGISTRY_USER", "app")],
      ...[masked("CI_REGISTRY_PASSWORD", password), ...own],
    ];

    beforeAll(async () => {
      const project = await GitLabProject.create("team/app", {
        ".gitlab-ci.yml": threeLines + build,
      });
      const app = {
        repository: await runner.repository(project, "team/app"),
        config: await project.config({ env, inputs: probe() }),
      };
      project.close();
      image = await registry.push("team/app");
      token = await newToken(stack.outputs);
      const before = await runner.run(app, {
        name: "build",
        settings: settings([plain("PUSHED", image)]),
      });
      signed = await runner.run(app, {
        name: "anchorhold-sign",
        settings: settings([...reported(before), masked("SIGSTORE_ID_TOKEN", token)]),
        dependencies: [dependency(before)],
      });
    });

    test("three lines sign what was built and verify it, and the pipeline ends well", () => {
      expect(threeLines.trimEnd().split("\n")).toHaveLength(3);
      expect(signed.state, signed.log).toBe("success");
      expect(signed.log).toContain(`anchorhold: signed by ${identity.name}`);
      expect(signed.log).toContain("**/*.sigstore.json: found 4 matching artifact files");
    });

    test("neither the token nor the registry's password is in the log", () => {
      expect(token.length).toBeGreaterThan(100);
      for (const secret of [token, token.split(".")[2]!, password])
        expect(signed.raw + signed.log + signed.runner).not.toContain(secret);
    });

    test.each(["app", "other"])(
      "the blob %s verifies for others, and so does its SBOM",
      async (name) => {
        const copies = ["", ".sigstore.json", ".sbom.sigstore.json"].map((end) => `${name}${end}`);
        for (const copy of copies)
          copyFileSync(join(runner.builds, built(copy)), cosign.path(copy));
        expectEvidence(readFileSync(cosign.path(copies[1]!), "utf8"), stack.outputs);
        const plain = await cosign.run(
          "verify-blob",
          name,
          "--bundle",
          copies[1]!,
          ...as(identity),
        );
        expect(plain.code, plain.stderr).toBe(0);
        const attested = ["verify-blob-attestation", name, "--bundle", copies[2]!];
        const sbom = await cosign.run(...attested, "--type", "cyclonedx", ...as(identity));
        expect(sbom.code, sbom.stderr).toBe(0);
        const other = await cosign.run(...attested, "--type", "spdxjson", ...as(identity));
        expect(other.code).not.toBe(0);
      },
    );

    test("the image verifies for others, and so does its SBOM", async () => {
      const plain = await cosign.run("verify", image, ...as(identity));
      expect(plain.code, plain.stderr).toBe(0);
      const type = ["--type", "cyclonedx"];
      const sbom = await cosign.run("verify-attestation", image, ...type, ...as(identity));
      expect(sbom.code, sbom.stderr).toBe(0);
    });

    describe("in a project that only verifies", () => {
      let consumer: GitLabProject;
      let repository: Repository;
      beforeAll(async () => {
        const inputs = { images: "$BASE", sign: false, sbom: "", stage: "test" };
        const component = `${gitlabHost}/platform/anchorhold/anchorhold@1.0.0`;
        consumer = await GitLabProject.create("team/consumer", {
          ".gitlab-ci.yml": JSON.stringify({ include: [{ component, inputs }] }),
        });
        repository = await runner.repository(consumer, "team/consumer");
      });
      afterAll(() => consumer.close());
      const verify = async (base: string, inputs: Record<string, string> = probe()) =>
        runner.run(
          { repository, config: await consumer.config({ env, inputs }) },
          {
            name: "anchorhold-verify",
            event: "merge request",
            settings: settings([plain("BASE", base)]),
          },
        );

      test("an image that was signed passes, without a token", async () => {
        const passed = await verify(image);
        expect(passed.state, passed.log).toBe("success");
        expect(passed.log).toContain(`anchorhold: signed by ${identity.name}`);
      });

      test("another signer is refused", async () => {
        const refused = await verify(image, { ...probe(), identity: `${identity.name}-2` });
        expect(refused.state).toBe("failed");
        expect(refused.log).toMatch(/expected SAN value/);
      });

      test("without a signer it wants this very pipeline, and says whom", async () => {
        const refused = await verify(image, { issuer: identity.issuer });
        expect(refused.state).toBe("failed");
        expect(refused.log).toContain(
          `expected SAN value "https://${gitlabHost}/team/consumer//.gitlab-ci.yml@refs/heads/main"`,
        );
      });

      test.each([
        ["a tag", () => image.replace(/@sha256:.*/, ":1"), {}, /not named by its digest/],
        ["nothing", () => "", {}, /nothing to do: set the input images, or blobs/],
        ["no such SBOM", () => image, { sbom: "none.json" }, /there is no file none.json/],
        ["no such blob", () => image, { blobs: "none/*" }, /blobs: there is no file none/],
        ["no mirror", () => image, { mirror: "" }, /no mirror: set the input mirror/],
        ["half a checksum", () => image, { "root-sha256": "abc" }, /no checksum: set the input/],
        ["another root", () => image, { "root-sha256": "0".repeat(64) }, /incorrect checksum/],
      ])("%s is one clear error", async (_, what, inputs, reason) => {
        const refused = await verify(what(), { ...probe(), ...inputs });
        expect(refused).toMatchObject({ state: "failed", failureReason: "script_failure" });
        expect(refused.log).toMatch(reason);
      });
    });
  });
});
