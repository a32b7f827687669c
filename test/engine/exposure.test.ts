import { createPrivateKey, X509Certificate } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { diagnose } from "../../cli/doctor/diagnose/index.ts";
import type { Fault } from "../../cli/doctor/diagnose/fault.ts";
import { outputsSchema } from "../../infra/outputs.ts";
import { refOf, type Ref } from "../../local/pulumi/kubernetes/cluster.ts";
import { textAt, type Props } from "../../local/pulumi/values.ts";
import { hosts, otherKey, serverCertificate, tlsSecret } from "../support/tlsSecret.ts";
import { NodePorts, onCopy, snapshot, type Scene } from "./support/scene.ts";
import { openlyIn } from "./support/secrets.ts";
import { trySign } from "./support/signer.ts";
import { ProgramUnderTest } from "./support/stack.ts";

const secret = { namespace: "certificates", name: "sigstore-tls" };
const place = "certificates/sigstore-tls";
const ingress = { type: "ingress", hosts, className: "nginx", tls: { secret: place } };
const prefix = "anchorhold-local";
const spaces = ["ctlog", "fulcio", "rekor-1", "tsa", "tuf"].map((name) => `${prefix}-${name}`);
/** Of Ingresses as of Routes. */
const entrances = [
  `${prefix}-ctlog/ctlog`,
  `${prefix}-fulcio/fulcio`,
  `${prefix}-fulcio/fulcio-grpc`,
  `${prefix}-rekor-1/rekor-1`,
  `${prefix}-tsa/tsa`,
  `${prefix}-tuf/tuf`,
];

let program: ProgramUnderTest;
const pair = await serverCertificate({ names: ["*.example.com"] });

const all = (kind: string): Props[] =>
  program.engine.cluster.all().filter((object) => object["kind"] === kind);
const title = ({ namespace, name }: Ref) => `${namespace}/${name}`;
const titles = (objects: readonly Props[]) => objects.map((object) => title(refOf(object))).sort();
const copies = () =>
  all("Secret").filter(
    (object) => object["type"] === "kubernetes.io/tls" && spaces.includes(refOf(object).namespace),
  );

/** The user's own Secret, written with kubectl. */
function put(object: object): void {
  program.engine.cluster.put({ apiVersion: "v1", kind: "Secret", metadata: secret, ...object });
}

beforeAll(async () => {
  program = await ProgramUnderTest.create();
  program.engine.cluster.put({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: secret.namespace },
  });
});

afterAll(() => program.close());

describe("a Secret that cannot be used is refused in the preview", () => {
  test.each<[string, () => object | undefined, RegExp]>([
    ["that is missing", () => undefined, /the Secret certificates\/sigstore-tls does not exist/],
    [
      "of another type",
      () => ({ ...tlsSecret(pair), type: "Opaque" }),
      /is of type Opaque, not kubernetes\.io\/tls/,
    ],
    [
      "with another's key",
      () => tlsSecret({ ...pair, privateKeyPem: otherKey() }),
      /holds a key that is not the first certificate's/,
    ],
  ])("one %s", async (_what, object, expected) => {
    const given = object();
    if (given !== undefined) put(given);
    await refused(ingress, expected);
  });

  test("one for other hosts, one that has expired, one of tomorrow", async () => {
    const day = 86_400_000;
    const at = (days: number) => new Date(Date.now() + days * day);
    put(tlsSecret(await serverCertificate({ names: ["*.example.org"] })));
    await refused(ingress, /for DNS:\*\.example\.org, which does not cover tuf\.example\.com,/);
    const names = ["*.example.com"];
    put(tlsSecret(await serverCertificate({ names, notBefore: at(-9), notAfter: at(-1) })));
    await refused(ingress, /holds a certificate that expired at/);
    put(tlsSecret(await serverCertificate({ names, notBefore: at(1) })));
    await refused(ingress, /holds a certificate that is not valid before/);
  });
});

describe("a configuration that cannot be is refused in the preview", () => {
  test("two services on one host, a Route where there are none", async () => {
    const twice = { ...ingress, hosts: { ...hosts, tsa: hosts.fulcio } };
    await refused(twice, /fulcio and tsa both have host fulcio\.example\.com/);
    await refused({ type: "route", hosts }, /route needs anchorhold:platform openshift/);
  });

  test("an unknown platform", async () => {
    program.configure({ exposure: ingress, platform: "openshfit" });
    const preview = await program.engine.preview();
    expect(preview.errors.join("\n")).toMatch(/platform: must be one of kubernetes, openshift/);
  });
});

/** One error, in a preview that changes nothing. */
async function refused(exposure: object, expected: RegExp): Promise<void> {
  program.configure({ exposure });
  const before = titles(program.engine.cluster.all());
  const preview = await program.engine.preview();
  expect(preview.code).not.toBe(0);
  expect(preview.errors).toHaveLength(1);
  expect(preview.errors[0]).toMatch(expected);
  expect(preview.errors[0]).not.toContain("PRIVATE KEY");
  // A preview of a new stack shows what the state is looked up with.
  const shown = preview.changes.map(({ op, name }) => `${op} ${name}`);
  expect(["create anchorhold-local", "create instance"]).toEqual(expect.arrayContaining(shown));
  expect(titles(program.engine.cluster.all())).toEqual(before);
}

describe("behind Ingress", () => {
  test("a stack is deployed and signs by its host names alone", async () => {
    put(tlsSecret(pair));
    program.configure({ exposure: ingress });
    (await program.engine.up()).expectSuccess();
    expect(await trySign(program.served, "https://tuf.example.com")).toEqual({ result: "signed" });
  });

  test("its Services are inside the cluster alone", () => {
    const types = new Set(all("Service").map((service) => textAt(service, "spec", "type")));
    expect([...types]).toEqual(["ClusterIP"]);
  });

  test("outputs and records are https without a port, and Rekor signs as its host", async () => {
    const { mirror, services, records } = outputsSchema.parse(await program.engine.stackOutputs());
    expect([mirror.url, ...Object.values(services)]).toEqual([
      "https://tuf.example.com",
      "https://fulcio.example.com",
      "https://rekor-1.example.com",
      "https://ctlog.example.com/ctlog-1",
      "https://tsa.example.com",
    ]);
    expect(records.rekor["1"]).toMatchObject({
      baseUrl: "https://rekor-1.example.com",
      origin: "rekor-1.example.com",
    });
    const [rekor] = all("Deployment").filter((object) => refOf(object).name === "rekor-1-server");
    expect(JSON.stringify(rekor)).toContain("--rekor_server.hostname=rekor-1.example.com");
  });

  test("every host has an Ingress beside its Service, Fulcio's gRPC one more", () => {
    expect(titles(all("Ingress"))).toEqual(entrances);
  });

  test("each namespace has the certificate, and its key is nowhere else in the open", async () => {
    expect(
      copies()
        .map((object) => refOf(object).namespace)
        .sort(),
    ).toEqual(spaces);
    const { d = "" } = createPrivateKey(pair.privateKeyPem).export({ format: "jwk" });
    const key = [{ of: "the certificate", bytes: Buffer.from(d, "base64url") }];
    const { state } = await program.engine.exportState();
    expect(openlyIn(state as unknown as Props, key)).toEqual([]);
    const holders = program.engine.cluster
      .all()
      .filter((object) => openlyIn(object, key).length > 0);
    for (const holder of holders)
      expect(holder).toMatchObject({ kind: "Secret", type: "kubernetes.io/tls" });
    expect(holders).toHaveLength(spaces.length + 1);
  });

  test("nothing changes in an update without a change", async () => {
    const again = (await program.engine.up("--expect-no-changes")).expectSuccess();
    expect(again.changes).toEqual([]);
  });

  test("a renewed certificate is there first, then used, and then the old one goes", async () => {
    const old = copies().map((object) => refOf(object).name);
    const renewed = await serverCertificate({ names: ["*.example.com"] });
    put(tlsSecret(renewed));
    const served = new Set<string>();
    program.engine.cluster.afterWrite = () => served.add(certificateOf("fulcio"));
    const update = (await program.engine.up()).expectSuccess();
    program.engine.cluster.afterWrite = () => undefined;
    const [before, after] = [pair, renewed].map(({ certificatePem }) => printOf(certificatePem));
    expect([...served]).toEqual([before, after]);
    expect(copies().map((object) => refOf(object).name)).not.toContain(old[0]);
    expect(copies()).toHaveLength(spaces.length);
    expect(new Set(update.changes.map(({ type }) => type.split(":").at(-1)))).toEqual(
      new Set(["Secret", "Ingress"]),
    );
  });

  test("a recorded address cannot move", async () => {
    const rekor = { "1": "log.example.com" };
    await refused(
      { ...ingress, hosts: { ...hosts, rekor } },
      /generation 1 of rekor is recorded as https:\/\/rekor-1\.example\.com/,
    );
  });
});

/** The fingerprint of what a client of a host meets; empty while there is nothing. */
function certificateOf(name: string): string {
  const namespace = `${prefix}-${name}`;
  const find = (kind: string, wanted: string) =>
    all(kind).find((object) => title(refOf(object)) === `${namespace}/${wanted}`);
  const { spec } = (find("Ingress", name) ?? {}) as { spec?: { tls: { secretName: string }[] } };
  const copy = find("Secret", spec?.tls[0]?.secretName ?? "");
  const data = (copy?.["data"] ?? {}) as Record<string, string>;
  const pem = Buffer.from(data["tls.crt"] ?? "", "base64").toString();
  return pem === "" ? "" : printOf(pem);
}

function printOf(pem: string): string {
  return new X509Certificate(pem).fingerprint256;
}

describe("what doctor finds behind Ingress", () => {
  /** Faults of a copy of the stack; its host names lead nowhere from here. */
  async function faultsAfter(spoil: (scene: Scene) => Promise<unknown>) {
    return await onCopy(await snapshot(program), new NodePorts(), async (scene) => {
      await spoil(scene);
      return diagnose({ ...(await scene.look()), addresses: [] });
    });
  }
  const summary = (faults: readonly Fault[]) => faults.map(({ id, place }) => `${id} ${place}`);
  const somebody = { fieldManager: "kubectl-edit" };
  const live = (scene: Scene, kind: string, wanted: string) =>
    scene.cluster
      .all()
      .find((object) => object["kind"] === kind && title(refOf(object)) === wanted)!;

  test("nothing in a stack as it was deployed", async () => {
    expect(await faultsAfter(() => Promise.resolve())).toEqual([]);
  });

  test("an Ingress that is gone", async () => {
    const faults = await faultsAfter((scene) =>
      scene.cluster.delete(refOf(live(scene, "Ingress", `${prefix}-fulcio/fulcio`))),
    );
    expect(summary(faults)).toEqual([`missing-ingress Ingress ${prefix}-fulcio/fulcio`]);
    expect(faults[0]?.command).toBe("pulumi up --refresh");
  });

  test("a Service that somebody has put on a node port", async () => {
    const faults = await faultsAfter((scene) => {
      const service = live(scene, "Service", `${prefix}-tsa/tsa-server`);
      const spec = { ...(service["spec"] as Props), type: "NodePort" };
      return scene.cluster.apply({ ...service, spec }, somebody);
    });
    expect(summary(faults)).toEqual([`service-port Service ${prefix}-tsa/tsa-server`]);
  });

  test("a certificate that somebody has replaced", async () => {
    const other = tlsSecret(await serverCertificate({ names: ["*.example.com"] }));
    const faults = await faultsAfter((scene) => {
      const copy = scene.cluster
        .all()
        .find(
          (object) => object["type"] === other.type && refOf(object).namespace.endsWith("-tuf"),
        )!;
      return scene.cluster.apply({ ...copy, data: other.data }, somebody);
    });
    expect(faults).toEqual([expect.objectContaining({ id: "certificate-changed" })]);
  });
});
