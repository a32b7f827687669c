// Routes that re-encrypt: production's stack with them on a cluster in memory, where the test plays the
// service CA; and a stack that goes there from edge and back.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { spaces } from "../../infra/scaffold/names.ts";
import { servingCertAnnotation } from "../../infra/scaffold/postrender/tlsProxy.ts";
import { refOf } from "../../local/pulumi/kubernetes/cluster.ts";
import { listAt, numberAt, textAt, type Props } from "../../local/pulumi/values.ts";
import { hosts } from "../support/tlsSecret.ts";
import { ownConfig } from "../support/stacks.ts";
import { containerRows, faults, hardeningTable } from "./support/hardening.ts";
import { podsIn } from "./support/podMakers.ts";
import { playServiceCa } from "./support/serviceCa.ts";
import { trySign } from "./support/signer.ts";
import { ProgramUnderTest } from "./support/stack.ts";

const definition = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "routes.route.openshift.io" },
};

/** Every Service that asks for a certificate, as SERVICE.NAMESPACE.svc. */
function asking(prefix: string): string[] {
  const service = {
    ctLog: "ctlog",
    tsa: "tsa-server",
    fulcio: "fulcio-server",
    rekor: "rekor-1-server",
    tuf: "tuf-tls",
    trillian: undefined,
  };
  return spaces(prefix, [1]).flatMap(({ namespace, component }) => {
    const name = service[component];
    return name === undefined ? [] : [`${name}.${namespace}.svc`];
  });
}

const objects = (program: ProgramUnderTest, kind: string): Props[] =>
  program.engine.cluster.all().filter((object) => object["kind"] === kind);
const nameOf = (object: Props) => `${refOf(object).namespace}/${refOf(object).name}`;

describe("production's stack", () => {
  let program: ProgramUnderTest;
  const own = ownConfig("production");
  const { hosts: ownHosts } = own["anchorhold:exposure"] as { hosts: typeof hosts };
  const mirror = String(own["anchorhold:mirror"]);

  beforeAll(async () => {
    program = await ProgramUnderTest.create(undefined, undefined, "production");
    const exposure = { type: "route", termination: "reencrypt", hosts: ownHosts };
    program.configure({ platform: "openshift", exposure });
    program.engine.cluster.put(definition);
    await playServiceCa(program.engine.cluster, asking("sigstore-production"));
    (await program.engine.up()).expectSuccess();
  }, 600_000);
  afterAll(() => program.close());

  test("signs by its host names, through TLS in every pod", async () => {
    const signed = await trySign(program.served, `https://${ownHosts.tuf}`);
    expect(signed).toEqual({ result: "signed" });
  });

  test("has Routes that re-encrypt and leave it to the router whom it trusts", () => {
    const lines = objects(program, "Route").map((route) => {
      const tls = (route["spec"] as { tls: Props }).tls;
      expect(tls).toEqual({ termination: "reencrypt", insecureEdgeTerminationPolicy: "Redirect" });
      const [service, port, path] = [
        textAt(route, "spec", "to", "name"),
        textAt(route, "spec", "port", "targetPort"),
        textAt(route, "spec", "path"),
      ];
      return `${refOf(route).name}${path} ${service}:${port}`;
    });
    expect(lines.sort()).toEqual([
      "ctlog ctlog:https",
      "fulcio fulcio-server:https",
      "fulcio-grpc/dev.sigstore.fulcio.v2.CA/ fulcio-server:https",
      "rekor-1 rekor-1-server:https",
      "tsa tsa-server:https",
      "tuf tuf-tls:https",
    ]);
  });

  test("asks for one certificate for each Service behind them, and for no other", () => {
    const named = objects(program, "Service").flatMap((service) => {
      const secret = textAt(service, "metadata", "annotations", servingCertAnnotation);
      return secret === "" ? [] : [`${nameOf(service)} ${secret}`];
    });
    expect(named.sort()).toEqual([
      "sigstore-production-ctlog/ctlog ctlog-serving-cert",
      "sigstore-production-fulcio/fulcio-server fulcio-server-serving-cert",
      "sigstore-production-rekor-1/rekor-1-server rekor-1-server-serving-cert",
      "sigstore-production-tsa/tsa-server tsa-server-serving-cert",
      "sigstore-production-tuf/tuf-tls tuf-tls-serving-cert",
    ]);
  });

  test("hardens every container, TLS in front of the servers as well, as docs/hardening.md says", () => {
    const makers = podsIn(program.engine.cluster.all());
    expect(faults(makers, mirror)).toEqual([]);
    const proxies = containerRows(makers).filter(({ container }) => container.name === "tls");
    const table = hardeningTable(proxies, mirror);
    console.log(table);
    const docs = readFileSync(new URL("../../docs/hardening.md", import.meta.url), "utf8");
    expect(docs).toContain(table);
  });

  test("lets the router come to the port for TLS alone", () => {
    const open = objects(program, "NetworkPolicy").flatMap((policy) =>
      listAt(policy, "spec", "ingress")
        .filter(({ from }) => JSON.stringify(from ?? "anybody").includes("ingress-nginx"))
        .flatMap((rule) => listAt(rule, "ports"))
        .map((port) => `${refOf(policy).name} ${numberAt(port, "port")}`),
    );
    expect(open.sort()).toEqual(
      ["ctlog", "fulcio", "rekor-1-server", "tsa", "tuf-mirror"].map(
        (name) => `allow-${name} 8443`,
      ),
    );
  });

  test("changes nothing in an update without a change", async () => {
    const again = (await program.engine.up("--expect-no-changes")).expectSuccess();
    expect(again.changes).toEqual([]);
  });
});

describe("a stack with Routes", () => {
  let program: ProgramUnderTest;
  let endServiceCa: () => void;
  const route = (termination: string, more: object = {}) =>
    program.configure({
      platform: "openshift",
      exposure: { type: "route", termination, hosts },
      ...more,
    });
  const signs = () => trySign(program.served, "https://tuf.example.com");

  beforeAll(async () => {
    program = await ProgramUnderTest.create();
    program.engine.cluster.put(definition);
    endServiceCa = await playServiceCa(program.engine.cluster, asking("anchorhold-local"));
    route("edge");
    (await program.engine.up()).expectSuccess();
  }, 600_000);
  afterAll(() => program.close());

  test("goes from edge to reencrypt and makes nothing of trust anew", async () => {
    expect(objects(program, "Service").map(nameOf)).not.toContain("anchorhold-local-tuf/tuf-tls");
    const before = (await program.engine.stackOutputs())["records"];
    route("reencrypt");
    (await program.engine.up()).expectSuccess();
    expect(await signs()).toEqual({ result: "signed" });
    expect((await program.engine.stackOutputs())["records"]).toEqual(before);
  });

  test("leads clients to a new state of the mirror only when it has been walked", async () => {
    const { cluster } = program.engine;
    const others = { write: cluster.afterWrite, delete: cluster.afterDelete };
    const steps: string[] = [];
    cluster.afterWrite = (verb, object) => {
      others.write(verb, object);
      steps.push(`${verb} ${String(refOf(object).kind)} ${refOf(object).name}`);
    };
    cluster.afterDelete = ({ kind, name }) => steps.push(`delete ${kind} ${name}`);
    route("reencrypt", { resources: { tuf: { requests: { memory: "32Mi" } } } });
    const update = (await program.engine.up()).expectSuccess();
    [cluster.afterWrite, cluster.afterDelete] = [others.write, others.delete];
    const at = (step: RegExp) => steps.findIndex((one) => step.test(one));
    const [made, moved, ended] = [
      at(/^create Deployment tuf-/),
      at(/^apply Service tuf-tls$/),
      at(/^delete Deployment tuf-/),
    ];
    expect([made, moved, ended]).not.toContain(-1);
    expect(made).toBeLessThan(moved);
    expect(moved).toBeLessThan(ended);
    const done = update.changes.map(({ name }) => name);
    expect(done.indexOf("tuf-mirror-gate-observe")).toBeLessThan(
      done.indexOf("tuf-mirror-tls-service"),
    );
    expect(await signs()).toEqual({ result: "signed" });
  });

  test("goes back to edge", async () => {
    route("edge");
    (await program.engine.up()).expectSuccess();
    expect(await signs()).toEqual({ result: "signed" });
    const containers = containerRows(podsIn(program.engine.cluster.all()));
    expect(containers.map(({ container: { name } }) => name)).not.toContain("tls");
    expect(objects(program, "Service").map(nameOf)).not.toContain("anchorhold-local-tuf/tuf-tls");
  });

  test("without a service CA the update says what the pods wait for", async () => {
    endServiceCa();
    for (const secret of objects(program, "Secret"))
      if (refOf(secret).name.endsWith("-serving-cert"))
        await program.engine.cluster.delete(refOf(secret));
    route("reencrypt");
    const update = await program.engine.up();
    expect(update.code).not.toBe(0);
    expect(update.errors.join("\n")).toMatch(/secret "[-a-z0-9]+-serving-cert" not found/);
    expect(
      objects(program, "Route").map((one) => textAt(one, "spec", "tls", "termination")),
    ).toEqual(Array(6).fill("edge"));
  });
});
