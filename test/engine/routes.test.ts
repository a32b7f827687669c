import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { refOf } from "../../local/pulumi/kubernetes/cluster.ts";
import { textAt, type Props } from "../../local/pulumi/values.ts";
import { hosts, serverCertificate, tlsSecret } from "../support/tlsSecret.ts";
import { trySign } from "./support/signer.ts";
import { ProgramUnderTest } from "./support/stack.ts";

const mirror = "https://tuf.example.com";
const route = { type: "route", hosts };

let program: ProgramUnderTest;

const all = (kind: string): Props[] =>
  program.engine.cluster.all().filter((object) => object["kind"] === kind);
const tlsOf = (object: Props) => (object["spec"] as { tls: Props }).tls;
const nameOf = (object: Props) => refOf(object).name;

beforeAll(async () => {
  program = await ProgramUnderTest.create();
  program.configure({ platform: "openshift", exposure: route });
});

afterAll(() => program.close());

test("a cluster without Routes is refused in the preview", async () => {
  const preview = await program.engine.preview();
  expect(preview.errors).toEqual([
    expect.stringMatching(/does not serve route\.openshift\.io\/v1, so it has no Routes\. Set/),
  ]);
  expect(program.engine.cluster.all()).toEqual([]);
});

describe("behind Routes", () => {
  beforeAll(async () => {
    program.engine.cluster.put({
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "routes.route.openshift.io" },
    });
    (await program.engine.up()).expectSuccess();
  });

  test("a stack signs by its host names alone", async () => {
    expect(await trySign(program.served, mirror)).toEqual({ result: "signed" });
    const types = new Set(all("Service").map((service) => textAt(service, "spec", "type")));
    expect([...types]).toEqual(["ClusterIP"]);
    expect(all("Ingress")).toEqual([]);
  });

  test("every host has one, Fulcio's gRPC one more, with the router's certificate", () => {
    const lines = all("Route").map((object) => {
      const { namespace, name } = refOf(object);
      return `${namespace}/${name} ${textAt(object, "spec", "host")}${textAt(object, "spec", "path")}`;
    });
    expect(lines.sort()).toEqual([
      "anchorhold-local-ctlog/ctlog ctlog.example.com",
      "anchorhold-local-fulcio/fulcio fulcio.example.com",
      "anchorhold-local-fulcio/fulcio-grpc fulcio.example.com/dev.sigstore.fulcio.v2.CA/",
      "anchorhold-local-rekor-1/rekor-1 rekor-1.example.com",
      "anchorhold-local-tsa/tsa tsa.example.com",
      "anchorhold-local-tuf/tuf tuf.example.com",
    ]);
    for (const object of all("Route"))
      expect(tlsOf(object)).toEqual({
        termination: "edge",
        insecureEdgeTerminationPolicy: "Redirect",
      });
  });

  test("nothing changes in an update without a change", async () => {
    const again = (await program.engine.up("--expect-no-changes")).expectSuccess();
    expect(again.changes).toEqual([]);
  });
});

describe("with a certificate of one's own", () => {
  const secret = { namespace: "certificates", name: "sigstore-tls" };
  async function put(): Promise<void> {
    const pair = await serverCertificate({ names: ["*.example.com"] });
    const object = { apiVersion: "v1", kind: "Secret", metadata: secret, ...tlsSecret(pair) };
    program.engine.cluster.put(object);
  }
  /** Routes, and what lets the router read their certificates. */
  const router = () => all("RoleBinding").filter((binding) => nameOf(binding).includes("-tls-"));

  test("the Routes refer to copies, which OpenShift's router may read", async () => {
    await put();
    const tls = { secret: `${secret.namespace}/${secret.name}` };
    program.configure({ platform: "openshift", exposure: { ...route, tls } });
    (await program.engine.up()).expectSuccess();
    expect(await trySign(program.served, mirror)).toEqual({ result: "signed" });
    expect(router()).toHaveLength(5);
    for (const object of all("Route")) {
      const { name } = tlsOf(object)["externalCertificate"] as { name: string };
      const { namespace } = refOf(object);
      const beside = (kind: string) =>
        all(kind).find((one) => refOf(one).namespace === namespace && nameOf(one) === name);
      expect(beside("Secret")).toMatchObject({ type: "kubernetes.io/tls" });
      expect(beside("Role")).toMatchObject({
        rules: [{ resources: ["secrets"], resourceNames: [name], verbs: ["get", "list", "watch"] }],
      });
      expect(beside("RoleBinding")).toMatchObject({
        roleRef: { kind: "Role", name },
        subjects: [{ kind: "ServiceAccount", name: "router", namespace: "openshift-ingress" }],
      });
    }
  });

  test("a renewed one brings new rights, and the old ones go last", async () => {
    const old = router().map(nameOf);
    await put();
    const order: string[] = [];
    const { cluster } = program.engine;
    cluster.afterWrite = (verb, object) => order.push(`${verb} ${String(refOf(object).kind)}`);
    cluster.afterDelete = ({ kind }) => order.push(`delete ${kind}`);
    (await program.engine.up()).expectSuccess();
    cluster.afterWrite = () => undefined;
    cluster.afterDelete = () => undefined;
    expect(order.lastIndexOf("apply Route")).toBeLessThan(order.indexOf("delete RoleBinding"));
    expect(order.lastIndexOf("create RoleBinding")).toBeLessThan(order.lastIndexOf("apply Route"));
    expect(order.lastIndexOf("delete Role")).toBeLessThan(order.indexOf("delete Secret"));
    expect(router()).toHaveLength(5);
    expect(router().filter((binding) => old.includes(nameOf(binding)))).toEqual([]);
  });
});
