import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as YAML from "yaml";
import { printAdmission, type AdmissionOptions } from "../../../../cli/admission/command.ts";
import { InstanceStandIn } from "../instance.ts";

const instance = new InstanceStandIn();
let folder: string;
let file: string;
beforeAll(async () => {
  await instance.open();
  instance.outputs.issuers.push({
    issuer: "https://*.oidc.example.test/id",
    clientId: "sigstore",
    type: "kubernetes",
  });
  folder = await mkdtemp(join(tmpdir(), "anchorhold-admission-"));
  file = join(folder, "outputs.json");
  await writeFile(file, JSON.stringify(instance.outputs));
});
afterAll(async () => {
  await instance.close();
  await rm(folder, { recursive: true });
});

const issuer = "https://issuer.example.test";
const images = ["registry.example.test/team/**"];
const person = `${issuer} jane@example.test`;

async function print(options: AdmissionOptions): Promise<string> {
  let printed = "";
  await printAdmission({ outputs: file, ...options }, (text) => (printed += text));
  return printed;
}
const manifests = async (options: AdmissionOptions) =>
  YAML.parseAllDocuments(await print(options)).map((document) => document.toJS() as unknown);

const decoded = (text: string) => Buffer.from(text, "base64").toString();

describe("the TrustRoot", () => {
  test("leads to the mirror from the first root, byte for byte, and names the revision", async () => {
    const [root, ...more] = await manifests({});
    const { outputs } = instance;
    expect(root).toEqual({
      apiVersion: "policy.sigstore.dev/v1alpha1",
      kind: "TrustRoot",
      metadata: { name: "test", annotations: { "anchorhold.dev/revision": outputs.revision } },
      spec: {
        remote: {
          mirror: outputs.mirror.url,
          root: expect.any(String) as string,
          targets: "targets",
        },
      },
    });
    expect(decoded((root as { spec: { remote: { root: string } } }).spec.remote.root)).toBe(
      outputs.initialRoot,
    );
    expect(more).toEqual([]);
  });

  test("leads elsewhere, where the cluster reaches the mirror by another URL", async () => {
    expect(await manifests({ mirror: "http://tuf.example.test/mirror/" })).toMatchObject([
      { spec: { remote: { mirror: "http://tuf.example.test/mirror" } } },
    ]);
  });

  test("carries the repository behind an air gap, and says until when it is taken", async () => {
    const [root] = await manifests({ airGapped: true });
    expect(root).toMatchObject({
      metadata: {
        annotations: { "anchorhold.dev/expires": expect.stringMatching(/^\d{4}-/) as string },
      },
      spec: {
        repository: { targets: "targets", mirrorFS: expect.stringMatching(/^H4sI/) as string },
      },
    });
    expect(root).not.toHaveProperty("spec.remote");
  });
});

describe("the policy", () => {
  test("has an authority for each signer, by timestamp and TrustRoot", async () => {
    const signerRegexp = [`${issuer} ^https://git\\.example\\.test/team/(a|b)$`];
    const [, policy] = await manifests({ image: images, signer: [person], signerRegexp });
    const authority = (number: number, identity: object) => ({
      name: `signer-${number}`,
      keyless: {
        url: instance.outputs.services.fulcio,
        trustRootRef: "test",
        insecureIgnoreSCT: true,
        identities: [{ issuer, ...identity }],
      },
      rfc3161timestamp: { trustRootRef: "test" },
      signatureFormat: "bundle",
      attestations: [{ name: "signature", predicateType: "https://sigstore.dev/cosign/sign/v1" }],
    });
    expect(policy).toEqual({
      apiVersion: "policy.sigstore.dev/v1beta1",
      kind: "ClusterImagePolicy",
      metadata: { name: "test-signed" },
      spec: {
        images: [{ glob: images[0] }],
        mode: "enforce",
        authorities: [
          authority(1, { subject: "jane@example.test" }),
          authority(2, { subjectRegExp: "^https://git\\.example\\.test/team/(a|b)$" }),
        ],
      },
    });
  });

  test("takes an issuer that fits one with a star, and can be of another name and warn", async () => {
    const signer = ["https://west.oidc.example.test/id system:serviceaccount:a:b"];
    const [, policy] = await manifests({ image: images, signer, name: "trial", warn: true });
    expect(policy).toMatchObject({ metadata: { name: "trial" }, spec: { mode: "warn" } });
  });

  test("trusts the controller's own root, whose Secret and flags are printed with it", async () => {
    const options = { image: images, signer: [person], controllerRoot: true, namespace: "door" };
    expect(await print(options)).toContain(
      `# policy-controller's flags: --tuf-mirror=${instance.outputs.mirror.url} --tuf-root=/var/run/tuf/root.json\n`,
    );
    const [secret, policy] = await manifests(options);
    expect(secret).toMatchObject({
      kind: "Secret",
      metadata: { name: "tuf-root", namespace: "door" },
    });
    expect(decoded((secret as { data: { root: string } }).data.root)).toBe(
      instance.outputs.initialRoot,
    );
    const text = JSON.stringify(policy);
    expect(text).not.toMatch(/trustRootRef|insecureIgnoreSCT|rfc3161timestamp/);
  });
});

describe("refuses", () => {
  const policy = { image: images, signer: [person] };
  test.each<[string, AdmissionOptions, string]>([
    ["images without a signer", { image: images }, "A policy needs images and who may sign"],
    ["a signer without images", { signer: [person] }, "A policy needs images and who may sign"],
    ["a name without a policy", { name: "a" }, "A policy needs images and who may sign"],
    ["a signer without issuer", { ...policy, signer: ["jane"] }, 'give "ISSUER SUBJECT"'],
    ["three words", { ...policy, signer: [`${person} x`] }, 'give "ISSUER SUBJECT"'],
    [
      "an issuer that the stack has not got",
      { ...policy, signer: ["https://other.example.test jane"] },
      "the stack has no issuer https://other.example.test, only https://issuer.example.test",
    ],
    [
      "more than a star stands for",
      { ...policy, signer: ["https://a.b.oidc.example.test/id x"] },
      "the stack has no issuer",
    ],
    ["no regexp", { image: images, signerRegexp: [`${issuer} ^(a$`] }, "from ^ to $"],
    ["a regexp for a part", { image: images, signerRegexp: [`${issuer} a@b`] }, "from ^ to $"],
    ["a choice of halves", { image: images, signerRegexp: [`${issuer} ^a|b$`] }, "from ^ to $"],
    ["an escaped end", { image: images, signerRegexp: [`${issuer} ^a\\$`] }, "from ^ to $"],
    ["no glob", { ...policy, image: ["registry/{a,b}"] }, "--image registry/{a,b}"],
    ["no name", { ...policy, name: "Prod" }, "--name Prod"],
    ["no namespace", { controllerRoot: true, namespace: "a/b" }, "--namespace a/b"],
    ["no URL", { mirror: "tuf.example.test" }, "--mirror tuf.example.test"],
    ["a URL with a password", { mirror: "https://a:b@c.test" }, "--mirror https://a:b@c.test"],
    ["two roots at once", { airGapped: true, controllerRoot: true }, "needs the mirror"],
    ["no outputs", { outputs: "nowhere.json" }, "nowhere.json"],
    [
      "a mirror that does not answer",
      { airGapped: true, mirror: "http://127.0.0.1:9" },
      "The mirror at http://127.0.0.1:9 cannot be taken along",
    ],
  ])("%s", async (_what, options, message) => {
    await expect(print(options)).rejects.toThrow(message);
  });
});
