// What an update makes of the probe, and of the Prometheus operator's kinds where the cluster has them.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { alertRules } from "../../infra/platform/monitoring/rules.ts";
import { settingsSchema } from "../../infra/platform/prober/program/settings.ts";
import { refOf } from "../../local/pulumi/kubernetes/cluster.ts";
import { listAt, objectAt, textAt, type Props } from "../../local/pulumi/values.ts";
import { ProgramUnderTest } from "./support/stack.ts";

let program: ProgramUnderTest;

const space = "anchorhold-local-tuf";
const all = () => program.engine.cluster.all();
const of = (kind: string): Props[] =>
  all().filter((object) => object["kind"] === kind && refOf(object).namespace === space);
const named = (kind: string, begins: string): Props => {
  const found = of(kind).filter((object) => refOf(object).name.startsWith(begins));
  if (found.length !== 1) throw new Error(`${found.length} of ${kind} ${begins}`);
  return found[0]!;
};
const settings = () =>
  settingsSchema.parse(
    JSON.parse(textAt(named("ConfigMap", "prober-settings"), "data", "settings.json")),
  );

beforeAll(async () => {
  program = await ProgramUnderTest.create();
  (await program.engine.up()).expectSuccess();
});
afterAll(() => program.close());

describe("the probe", () => {
  test("asks the Services, with the first root and each served log", () => {
    const { fulcio, rekor, tsa, mirror, identity, logs, every, search } = settings();
    expect({ fulcio, rekor, tsa, mirror, identity, every, search }).toEqual({
      fulcio: "http://fulcio-server.anchorhold-local-fulcio.svc",
      rekor: "http://rekor-1-server.anchorhold-local-rekor-1.svc",
      tsa: "http://tsa-server.anchorhold-local-tsa.svc",
      mirror: "http://tuf.anchorhold-local-tuf.svc",
      identity: `https://kubernetes.io/namespaces/${space}/serviceaccounts/prober`,
      every: 120,
      search: true,
    });
    expect(logs.map(({ name, url }) => [name, url])).toEqual([
      ["ctlog-1", "http://ctlog.anchorhold-local-ctlog.svc"],
      ["rekor-1", "http://rekor-1-server.anchorhold-local-rekor-1.svc"],
    ]);
  });

  test("may read and replace what it remembers, and nothing else", () => {
    expect(named("Role", "prober")["rules"]).toEqual([
      {
        apiGroups: [""],
        resources: ["configmaps"],
        resourceNames: ["prober-memory"],
        verbs: ["get", "update"],
      },
    ]);
    const pod = objectAt(named("Deployment", "prober"), "spec", "template", "spec");
    expect(pod["automountServiceAccountToken"]).toBe(false);
    const [account] = listAt(pod, "volumes").filter(({ name }) => name === "account");
    expect(account?.["projected"]).toMatchObject({
      sources: [
        { serviceAccountToken: { path: "token" } },
        { serviceAccountToken: { path: "identity", audience: "sigstore" } },
        { configMap: { name: "kube-root-ca.crt" } },
      ],
    });
  });

  test("an update without change leaves it alone, and what it remembers", async () => {
    const memory = named("ConfigMap", "prober-memory");
    const data = { "memory.json": "{}" };
    program.engine.cluster.put({ ...memory, data });
    const { changes } = (await program.engine.up()).expectSuccess();
    expect(changes.filter(({ op }) => op !== "same")).toEqual([]);
    expect(named("ConfigMap", "prober-memory")["data"]).toEqual(data);
  });

  test("is left out again, and comes back, by an edit", async () => {
    program.configure({ probe: "none" });
    (await program.engine.up()).expectSuccess();
    expect(of("Deployment").map((object) => refOf(object).name)).not.toContain("prober");
    program.configure({ probe: { every: "1m" } });
    (await program.engine.up()).expectSuccess();
    expect(settings().every).toBe(60);
    expect(await program.engine.preview()).toMatchObject({ code: 0 });
  });
});

describe("the kinds of the Prometheus operator", () => {
  const monitors = () => [...of("ServiceMonitor"), ...of("PrometheusRule")].length;

  test("are demanded only where the cluster has them: a refusal in the preview", async () => {
    program.configure({ monitoring: "prometheus-operator" });
    const preview = await program.engine.preview();
    expect(preview.errors).toEqual([
      expect.stringMatching(
        /does not serve monitoring\.coreos\.com\/v1, so it has no ServiceMonitors/,
      ),
    ]);
  });

  test("are left out by auto where the cluster has them not", async () => {
    program.configure({ monitoring: "auto" });
    (await program.engine.up()).expectSuccess();
    expect(monitors()).toBe(0);
  });

  test("are made where it has them, with a dashboard; and go with the configuration", async () => {
    for (const plural of ["servicemonitors", "prometheusrules"])
      program.engine.cluster.put({
        apiVersion: "apiextensions.k8s.io/v1",
        kind: "CustomResourceDefinition",
        metadata: { name: `${plural}.monitoring.coreos.com` },
      });
    (await program.engine.up()).expectSuccess();
    const [service] = of("Service").filter((object) => refOf(object).name === "prober");
    expect(objectAt(named("ServiceMonitor", "anchorhold"), "spec")).toEqual({
      selector: { matchLabels: objectAt(service, "metadata", "labels") },
      endpoints: [{ port: textAt(listAt(service, "spec", "ports")[0], "name"), interval: "15s" }],
    });
    const [group] = listAt(named("PrometheusRule", "anchorhold"), "spec", "groups");
    expect(group?.["rules"]).toEqual(alertRules("anchorhold-local"));
    expect(
      objectAt(named("ConfigMap", "anchorhold-dashboard"), "metadata", "labels"),
    ).toMatchObject({ grafana_dashboard: "1" });
    program.configure({ monitoring: "none" });
    (await program.engine.up()).expectSuccess();
    expect(monitors()).toBe(0);
  });
});
