// The template for other projects and this project's own jobs, run to their end against the local
// stack by gitlab-ci-local (see test/support/gitlabCi.ts for what that is and is not).
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cacheDir } from "../../local/paths.ts";
import { kubeconfigFile } from "../../local/stack/environment.ts";
import { ensurePackages } from "../../local/tools/index.ts";
import {
  GitLabProject,
  gitlabHost,
  platformWith,
  type PipelineOptions,
  type Platform,
} from "../support/gitlabCi.ts";
import { GitLabNotes } from "../support/gitlabNotes.ts";
import { as, Cosign } from "./support/cosign.ts";
import { expectEvidence } from "./support/evidence.ts";
import type { Run } from "./support/process.ts";
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

const said = ({ stdout, stderr }: Run) => stdout + stderr;

await describeStack("GitLab CI", (stack) => {
  let folder: string;
  let registry: Registry;
  let identity: Identity;
  let cosign: Cosign;
  let platform: Platform;
  let env: NodeJS.ProcessEnv;
  beforeAll(async () => {
    await ensurePackages((line) => console.log(line), ["rsync"]);
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
  });
  afterAll(async () => {
    platform.close();
    await cosign.dispose();
    await registry.close();
    rmSync(folder, { recursive: true, force: true });
  });

  describe("the template", () => {
    let app: GitLabProject;
    let signed: Run;
    let image: string;
    let token: string;
    const password = "registry-password-1234";

    /** What the platform's group and GitLab give each job. */
    const options = (more: PipelineOptions = {}): PipelineOptions => ({
      env,
      ...more,
      variables: {
        ANCHORHOLD_MIRROR: stack.outputs.mirror.url,
        ANCHORHOLD_ROOT_SHA256: stack.outputs.mirror.rootSha256,
        ANCHORHOLD_COSIGN_IMAGE: "registry.example.com/cosign",
        ...more.variables,
      },
    });
    /** The cluster vouches for the probe here, instead of GitLab for a pipeline. */
    const probe = () => ({ identity: identity.name, issuer: identity.issuer });
    const built = (name: string) =>
      join(app.folder, ".gitlab-ci-local", "artifacts", "anchorhold-sign", name);

    beforeAll(async () => {
      app = await GitLabProject.create("team/app", { ".gitlab-ci.yml": threeLines + build });
      image = await registry.push("team/app");
      token = await newToken(stack.outputs);
      const given = {
        SIGSTORE_ID_TOKEN: token,
        PUSHED: image,
        CI_REGISTRY: registry.host,
        CI_REGISTRY_USER: "app",
        CI_REGISTRY_PASSWORD: password,
      };
      signed = await app.run(["--shell-isolation"], options({ variables: given, inputs: probe() }));
    });
    afterAll(() => app.close());

    test("three lines sign what was built and verify it, and the pipeline ends well", () => {
      expect(threeLines.trimEnd().split("\n")).toHaveLength(3);
      expect(said(signed)).toMatch(/PASS {2}anchorhold-sign/);
      expect(said(signed)).toContain(`anchorhold: signed by ${identity.name}`);
      expect(signed.code, said(signed)).toBe(0);
    });

    test("neither the token nor the registry's password is in the log", () => {
      expect(token.length).toBeGreaterThan(100);
      for (const secret of [token, token.split(".")[2]!, password])
        expect(said(signed)).not.toContain(secret);
    });

    test.each(["app", "other"])(
      "the blob %s verifies for others, and so does its SBOM",
      async (name) => {
        const copies = ["", ".sigstore.json", ".sbom.sigstore.json"].map((end) => `${name}${end}`);
        const source = join(app.folder, ".gitlab-ci-local", "artifacts", "build", "dist", name);
        copyFileSync(source, cosign.path(name));
        for (const copy of copies.slice(1)) copyFileSync(built(`dist/${copy}`), cosign.path(copy));
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
      beforeAll(async () => {
        const inputs = { images: "$BASE", sign: false, sbom: "", stage: "test" };
        const component = `${gitlabHost}/platform/anchorhold/anchorhold@1.0.0`;
        consumer = await GitLabProject.create("team/consumer", {
          ".gitlab-ci.yml": JSON.stringify({ include: [{ component, inputs }] }),
        });
      });
      afterAll(() => consumer.close());
      const verify = (BASE: string, inputs: Record<string, string> = probe()) =>
        consumer.run(
          ["--shell-isolation"],
          options({ event: "merge request", variables: { BASE }, inputs }),
        );

      test("an image that was signed passes, without a token", async () => {
        const passed = await verify(image);
        expect(said(passed)).toMatch(/PASS {2}anchorhold-verify/);
        expect(passed.code, said(passed)).toBe(0);
      });

      test("another signer is refused", async () => {
        const refused = await verify(image, { ...probe(), identity: `${identity.name}-2` });
        expect(refused.code).not.toBe(0);
        expect(said(refused)).toMatch(/expected SAN value/);
      });

      test("without a signer it wants this very pipeline, and says whom", async () => {
        const refused = await verify(image, { issuer: identity.issuer });
        expect(refused.code).not.toBe(0);
        expect(said(refused)).toContain(
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
        expect(refused.code).not.toBe(0);
        expect(said(refused)).toMatch(reason);
      });
    });
  });

  describe("this project's pipeline", () => {
    let project: GitLabProject;
    let gitlab: GitLabNotes;
    let own: NodeJS.ProcessEnv;
    beforeAll(async () => {
      gitlab = await new GitLabNotes().open();
      project = await GitLabProject.cloneOf(projectRoot, "platform/anchorhold");
      // Pulumi with what stands behind it here, as an official installation stands on a runner's PATH.
      const pulumi = join(folder, "bin", "pulumi");
      mkdirSync(dirname(pulumi));
      writeFileSync(pulumi, '#!/bin/sh\nexec node local/cli.ts pulumi "$@"\n');
      chmodSync(pulumi, 0o755);
      own = {
        ...process.env,
        PATH: [dirname(pulumi), process.env["PATH"] ?? ""].join(delimiter),
        KUBECONFIG: kubeconfigFile,
        // The tests in a job are not these.
        VITEST: undefined,
      };
    });
    afterAll(async () => {
      project.close();
      await gitlab.close();
    });
    const job = (name: string, more: PipelineOptions = {}) =>
      project.run([name], {
        env: own,
        limitMs: 560_000,
        ...more,
        override: { ANCHORHOLD_CACHE: cacheDir, STACK: "local", ...more.override },
      });

    test("check runs to its end", async () => {
      const result = await job("check: [types]");
      expect(said(result)).toMatch(/PASS {2}check: \[types\]/);
      expect(result.code, said(result)).toBe(0);
    });

    test("policy previews every stack with the pack, to its end", async () => {
      const result = await job("policy");
      expect(result.code, said(result)).toBe(0);
      for (const stackName of ["local", "review", "acceptance", "production"])
        expect(said(result)).toContain(`${stackName} keeps every rule in its first preview`);
    });

    test("preview comments in the merge request, and no secret is in comment or log", async () => {
      const token = "cloud-id-token-of-this-test";
      const variables = { ...gitlab.variables, CLOUD_ID_TOKEN: token };
      const result = await job("preview:review", { event: "merge request", variables });
      expect(result.code, said(result)).toBe(0);
      expect(gitlab.notes).toHaveLength(1);
      const { body } = gitlab.notes[0]!;
      expect(body).toContain("### Preview of `local`\n");
      expect(body).toMatch(/^Policy Packs run:\n.*\n +anchorhold\|local\|policies +0\.1\.0$/m);
      expect(said(result)).toContain("The preview of local is a comment of merge request !7.");
      for (const secret of [token, gitlab.variables["ANCHORHOLD_COMMENT_TOKEN"]!])
        expect(said(result) + body).not.toContain(secret);
    });

    test("an update is verified with the job's own token", async () => {
      const variables = { SIGSTORE_ID_TOKEN: await newToken(stack.outputs) };
      const result = await job("review", { variables });
      expect(result.code, said(result)).toBe(0);
      expect(said(result)).toMatch(/Resources:[^]*unchanged[^]*ok +signing +verify/);
      expect(said(result)).not.toContain(variables.SIGSTORE_ID_TOKEN);
    });

    test("drift compares with the commit that was deployed, verifies and looks for faults", async () => {
      const variables = { SIGSTORE_ID_TOKEN: await newToken(stack.outputs) };
      const result = await job("drift:production", { event: "schedule", variables });
      expect(result.code, said(result)).toBe(0);
      expect(said(result)).not.toContain(variables.SIGSTORE_ID_TOKEN);
    });
  });
});
