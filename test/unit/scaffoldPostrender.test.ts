import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { postrenderHash, postrenderPath } from "../../infra/scaffold/postrenderFiles.ts";
import {
  postrender,
  readManifests,
  writeManifests,
  type Manifest,
} from "../../infra/scaffold/postrenderRules.ts";

const projectDir = resolve(import.meta.dirname, "../..");

const object = (kind: string, name: string, more: Record<string, unknown> = {}): Manifest => ({
  apiVersion: "v1",
  kind,
  metadata: { name, namespace: "a" },
  ...more,
});

function deployment(name: string, container: Record<string, unknown>, pod = {}): Manifest {
  return object("Deployment", name, {
    apiVersion: "apps/v1",
    metadata: { name, namespace: "a", labels: { "app.kubernetes.io/name": name } },
    spec: {
      replicas: 1,
      template: {
        spec: {
          serviceAccountName: `${name}-account`,
          containers: [{ name, ports: [{ containerPort: 5555 }], ...container }],
          ...pod,
        },
      },
    },
  });
}

const rbac = "rbac.authorization.k8s.io/v1";
const role = (name: string) => object("Role", name, { apiVersion: rbac, rules: [] });
const binding = (name: string, account: string) =>
  object("RoleBinding", name, {
    apiVersion: rbac,
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name },
    subjects: [{ kind: "ServiceAccount", name: account, namespace: "a" }],
  });
const job = (name: string) => object("Job", name, { apiVersion: "batch/v1" });

const podOf = (manifest: Manifest | undefined) =>
  (manifest?.spec as { template: { spec: { containers: Record<string, unknown>[] } } }).template
    .spec;

describe("post-rendering", () => {
  test("drops generator Jobs with their accounts and rights, and nothing else", () => {
    const kept = [
      deployment("server", {}),
      object("ServiceAccount", "server-account"),
      role("election"),
      binding("election", "server-account"),
      object("Service", "server"),
      object("ConfigMap", "server-config"),
    ];
    const dropped = [
      job("rekor-1-createtree"),
      job("createcerts"),
      job("trillian-createdb"),
      job("ctlog-createctconfig"),
      object("ServiceAccount", "rekor-1-createtree"),
      role("rekor-1-cm-operator"),
      binding("rekor-1-cm-operator", "rekor-1-createtree"),
    ];
    const left = postrender([...dropped, ...kept]).map(
      ({ kind, metadata }) => `${kind} ${metadata.name}`,
    );
    expect(left).toEqual(kept.map(({ kind, metadata }) => `${kind} ${metadata.name}`));
  });

  test("an account of the same name in another namespace keeps no rights", () => {
    const elsewhere = binding("rights", "server-account");
    elsewhere.subjects = [{ kind: "ServiceAccount", name: "server-account", namespace: "b" }];
    expect(postrender([deployment("server", {}), role("rights"), elsewhere])).toHaveLength(1);
  });

  test.each([
    [job("copy-secrets-job"), "batch/v1 Job a/copy-secrets-job"],
    [job("createtree-later"), "batch/v1 Job a/createtree-later"],
    [object("Secret", "random"), "v1 Secret a/random"],
    [object("PersistentVolumeClaim", "data"), "v1 PersistentVolumeClaim a/data"],
    [object("Namespace", "a"), "v1 Namespace a/a"],
    [object("Deployment", "old", { apiVersion: "extensions/v1beta1" }), "extensions/v1beta1"],
    [object("ClusterRole", "all", { apiVersion: rbac }), `${rbac} ClusterRole`],
  ])("refuses $kind $metadata.name", (manifest, said) => {
    expect(() => postrender([manifest, object("Service", "server")])).toThrow(said);
  });

  test("the TSA gets probes, others do not", () => {
    const [tsa, other] = postrender([deployment("tsa", {}), deployment("other", {})]);
    expect(podOf(tsa).containers[0]).toMatchObject({
      readinessProbe: { httpGet: { path: "/ping", port: 5555 } },
      livenessProbe: { httpGet: { path: "/ping", port: 5555 } },
    });
    expect(podOf(other).containers[0]).not.toHaveProperty("readinessProbe");
  });

  test("a probe of the TSA's own stays", () => {
    const readinessProbe = { httpGet: { path: "/own", port: 1 } };
    const [tsa] = postrender([deployment("tsa", { readinessProbe })]);
    expect(podOf(tsa).containers[0]).toMatchObject({ readinessProbe });
  });

  test("an exec probe becomes TCP with its timing, an HTTP one stays", () => {
    const livenessProbe = { httpGet: { path: "/healthz", port: 8090 } };
    const [database] = postrender([
      deployment("database", {
        readinessProbe: { exec: { command: ["/etc/init.d/mysql", "status"] }, periodSeconds: 2 },
        livenessProbe,
      }),
    ]);
    const [container] = podOf(database).containers;
    expect(container?.readinessProbe).toEqual({ tcpSocket: { port: 5555 }, periodSeconds: 2 });
    expect(container?.livenessProbe).toEqual(livenessProbe);
  });

  test("a container without a port cannot be probed, and the error names it", () => {
    const bare = deployment("tsa", { ports: [] });
    expect(() => postrender([bare])).toThrow("a/tsa: container tsa has no port");
  });

  test("pods get no API token unless the chart's values gave one", () => {
    const [none, given] = postrender([
      deployment("none", {}),
      deployment("given", {}, { automountServiceAccountToken: true }),
    ]);
    expect(podOf(none)).toMatchObject({ automountServiceAccountToken: false });
    expect(podOf(given)).toMatchObject({ automountServiceAccountToken: true });
  });

  test("running it again changes nothing", () => {
    const once = postrender([deployment("tsa", {}), object("Service", "tsa")]);
    expect(postrender(once)).toEqual(once);
  });
});

describe("reading what Helm renders", () => {
  const read = (text: string) =>
    readManifests(`apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n${text}`)[0];

  test("as Helm does: octal modes, and times and dates as text", () => {
    expect(read("mode: 0666")?.mode).toBe(0o666);
    expect(read("at: 2026-01-01")?.at).toBe("2026-01-01");
    expect(read("at: 12:30")?.at).toBe("12:30");
  });

  test("empty documents are left out, broken and foreign ones refused", () => {
    expect(readManifests("---\n# Source: a\n---\n\n---\n")).toEqual([]);
    expect(() => readManifests("a: [")).toThrow("no YAML");
    expect(() => readManifests("- a")).toThrow("no Kubernetes object");
    expect(() => readManifests("kind: Service")).toThrow("no Kubernetes object");
  });

  test("text that looks like something else stays text", () => {
    const data = {
      a: "yes",
      b: "0666",
      c: "12:30",
      d: "1e3",
      e: "a\n---\nb\n",
      f: "8713049210368475113",
    };
    const written = writeManifests([object("ConfigMap", "a", { data })]);
    expect(readManifests(written)[0]?.data).toEqual(data);
    expect(parseAllDocuments(written)[0]?.toJS()).toMatchObject({ data });
    // Helm cuts the text at such lines before it reads any YAML.
    expect(written.match(/^---$/gm)).toHaveLength(1);
  });
});

describe("the program that Helm runs", () => {
  const run = (input: string) =>
    spawnSync(postrenderPath(projectDir), { cwd: projectDir, input, encoding: "utf8" });

  test("has a path that is the same in every checkout, and may be executed", () => {
    expect(postrenderPath(projectDir)).toBe("./infra/scaffold/postrender.ts");
    expect(postrenderPath(resolve(projectDir, "infra"))).toBe("./scaffold/postrender.ts");
    expect(() =>
      accessSync(resolve(projectDir, postrenderPath(projectDir)), constants.X_OK),
    ).not.toThrow();
  });

  test("reads stdin and writes stdout", () => {
    const { status, stdout } = run("apiVersion: v1\nkind: Service\nmetadata: {name: a}\n");
    expect(status).toBe(0);
    expect(readManifests(stdout)).toEqual([
      { apiVersion: "v1", kind: "Service", metadata: { name: "a" } },
    ]);
  });

  test("fails with one line and no output", () => {
    const { status, stdout, stderr } = run("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n");
    expect(status).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^Anchorhold's post-renderer: .*v1 Secret.*\n$/);
  });

  test("has a hash over its sources", () => {
    expect(postrenderHash()).toMatch(/^[a-f0-9]{64}$/);
    expect(postrenderHash()).toBe(postrenderHash());
  });
});
