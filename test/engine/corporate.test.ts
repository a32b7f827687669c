import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { outputsSchema } from "../../infra/outputs.ts";
import { refOf } from "../../local/pulumi/kubernetes/cluster.ts";
import { listAt, objectAt, type Props } from "../../local/pulumi/values.ts";
import { NtpServerStandIn } from "../support/ntpServer.ts";
import { PrivateCa } from "../support/privateCa.ts";
import { ProgramUnderTest } from "./support/stack.ts";

// A company's network around the whole program: what is refused in the preview, and what pods get.

let program: ProgramUnderTest;
let time: NtpServerStandIn;
const [ca, second] = [await PrivateCa.create(), await PrivateCa.create("Second CA")];
const proxy = { https: "http://proxy.corp.test:3128", noProxy: [".corp.test"] };
const surroundings = (caBundle: string) => ({
  caBundle,
  proxy,
  ntp: { servers: [time.address], requestTimeout: 1 },
});

beforeAll(async () => {
  program = await ProgramUnderTest.create();
  time = await NtpServerStandIn.start();
});
afterAll(async () => {
  time.close();
  await program.close();
});

const all = (kind: string): Props[] =>
  program.engine.cluster.all().filter((object) => object["kind"] === kind);
const podOf = (deployment: string): Props => {
  const found = all("Deployment").find((object) => refOf(object).name === deployment);
  if (found === undefined) throw new Error(`no Deployment ${deployment}`);
  return objectAt(found, "spec", "template", "spec");
};
const variablesOf = (deployment: string) =>
  Object.fromEntries(
    listAt(podOf(deployment), "containers").flatMap((container) =>
      listAt(container, "env").map(({ name, value }) => [name, value]),
    ),
  ) as Record<string, unknown>;
/** The ConfigMap that a pod has as the volume `volume`, with its name. */
function mounted(deployment: string, volume: string) {
  const found = listAt(podOf(deployment), "volumes").find(({ name }) => name === volume);
  const { name } = objectAt(found ?? {}, "configMap") as { name: string };
  const map = all("ConfigMap").find((object) => refOf(object).name === name);
  return { name, data: objectAt(map ?? {}, "data") as Record<string, string> };
}

describe("refused in the preview, with one error and nothing changed", () => {
  test.each<[string, () => object, RegExp]>([
    [
      "a CA bundle that is none",
      () => ({ caBundle: "no certificate" }),
      /anchorhold:caBundle: holds no certificate/,
    ],
    [
      "a CA bundle with a key",
      () => ({ caBundle: ca.certificatePem + ca.privateKeyPem }),
      /anchorhold:caBundle: block 2 is a private key/,
    ],
    [
      "a proxy that is no URL",
      () => ({ proxy: { https: "proxy.corp.test" } }),
      /anchorhold:proxy\.https: must be the URL of a proxy/,
    ],
    [
      "time servers that are no names",
      () => ({ ntp: { servers: ["ntp://x"] } }),
      /anchorhold:ntp\.servers\.0: must be a time server/,
    ],
    [
      "time servers out of reach",
      () => ({ ntp: { servers: ["no.such.name.invalid", time.address] } }),
      /1 of 2 time servers answer this machine, and 2 must agree, so nothing was changed:\n {2}- no\.such\.name\.invalid: /,
    ],
  ])("%s", async (_what, changes, expected) => {
    program.configure({ ...changes() });
    const before = program.engine.cluster.all().length;
    const preview = await program.engine.preview();
    expect(preview.code).not.toBe(0);
    expect(preview.errors).toHaveLength(1);
    expect(preview.errors[0]).toMatch(expected);
    expect(preview.errors[0]).not.toContain("PRIVATE KEY");
    expect(program.engine.cluster.all()).toHaveLength(before);
  });

  test("a server that is silent on purpose, unless it is said that pods alone reach it", async () => {
    time.faults = { silent: true };
    program.configure(surroundings(ca.certificatePem));
    const { errors } = await program.engine.preview();
    expect(errors.join("\n")).toMatch(/no answer in 1 s/);
    program.configure({
      ...surroundings(ca.certificatePem),
      ntp: { servers: [time.address], access: "none" },
    });
    expect((await program.engine.preview()).code).toBe(0);
    time.faults = {};
  });
});

describe("a stack in such a network", () => {
  test("is deployed, asks the time server once, and signs", async () => {
    const before = time.asked;
    program.configure(surroundings(ca.certificatePem));
    (await program.engine.up("--skip-preview")).expectSuccess();
    expect(time.asked).toBe(before + 1);
    expect(await program.trySign()).toEqual({ result: "signed" });
  });

  test("Fulcio has the bundle and the proxy, with the cluster's own names excepted", () => {
    expect(mounted("fulcio-server", "ca-bundle").data).toEqual({ "ca.pem": ca.certificatePem });
    expect(variablesOf("fulcio-server")).toMatchObject({
      SSL_CERT_DIR: "/etc/ssl/certs:/etc/anchorhold/ca",
      HTTPS_PROXY: "http://proxy.corp.test:3128",
      NO_PROXY: "localhost,127.0.0.1,::1,.svc,.cluster.local,$(KUBERNETES_SERVICE_HOST),.corp.test",
    });
  });

  test("the TSA has its time servers, and nobody else has any of it", () => {
    const file = JSON.parse(mounted("tsa-server", "ntp").data["ntp.yaml"] ?? "") as object;
    expect(file).toMatchObject({ servers: [time.address], server_threshold: 1 });
    expect(variablesOf("tsa-server")).not.toHaveProperty("DISABLE-NTP-MONITORING");
    for (const object of all("Deployment")) {
      const { name } = refOf(object);
      const has = /SSL_CERT_DIR|_PROXY/.test(JSON.stringify(object));
      expect(has, name).toBe(name === "fulcio-server");
    }
  });

  test("the outputs have the bundle for clients", async () => {
    const { mirror } = outputsSchema.parse(await program.engine.stackOutputs());
    expect(mirror.caBundle).toBe(ca.certificatePem);
  });

  test("words between the certificates change nothing", async () => {
    program.configure(surroundings(`# the company's\n\n${ca.certificatePem}`));
    expect((await program.engine.up("--expect-no-changes")).expectSuccess().changes).toEqual([]);
  });

  test("another bundle is there first, then used, and then the old one goes", async () => {
    const old = mounted("fulcio-server", "ca-bundle").name;
    const used = new Set<string>();
    const missing: string[] = [];
    program.engine.cluster.afterWrite = () => {
      const { name, data } = mounted("fulcio-server", "ca-bundle");
      used.add(name);
      if (data["ca.pem"] === undefined) missing.push(name);
    };
    program.configure(surroundings(ca.certificatePem + second.certificatePem));
    const update = (await program.engine.up()).expectSuccess();
    program.engine.cluster.afterWrite = () => undefined;
    const now = mounted("fulcio-server", "ca-bundle");
    expect([...used]).toEqual([old, now.name]);
    expect(missing).toEqual([]);
    expect(now.data["ca.pem"]).toBe(ca.certificatePem + second.certificatePem);
    expect(all("ConfigMap").map((object) => refOf(object).name)).not.toContain(old);
    expect(new Set(update.changes.map(({ type }) => type.split(":").at(-1)))).toEqual(
      new Set(["ConfigMap", "Release"]),
    );
  });

  test("out of it again, nothing of it is left", async () => {
    program.configure();
    (await program.engine.up()).expectSuccess();
    const still = all("Deployment").filter((object) =>
      /SSL_CERT_DIR|_PROXY|"NTP-MONITORING|ca-bundle/.test(JSON.stringify(object)),
    );
    expect(still.map((object) => refOf(object).name)).toEqual([]);
    expect(await program.engine.stackOutputs()).not.toHaveProperty("caBundle");
  });
});
