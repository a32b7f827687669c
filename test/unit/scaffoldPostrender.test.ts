import { spawnSync } from "node:child_process";
import {
  accessSync,
  appendFileSync,
  constants,
  cpSync,
  mkdtempSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { pullSecretsAnnotation } from "../../infra/scaffold/postrender/pullSecrets.ts";
import { postrender } from "../../infra/scaffold/postrender/rules.ts";
import { readManifests, writeManifests } from "../../infra/scaffold/postrender/yaml.ts";
import {
  postrenderHash,
  postrenderPath,
  postrenderSources,
} from "../../infra/scaffold/postrenderFiles.ts";
import {
  binding,
  containerOf,
  deployment,
  job,
  object,
  podOf,
  role,
  specOf,
} from "../support/manifests.ts";

const projectDir = resolve(import.meta.dirname, "../..");
const scaffold = resolve(projectDir, "infra/scaffold");

describe("post-rendering", () => {
  test("drops generator Jobs with their accounts and rights, and nothing else", () => {
    const kept = [
      deployment("trillian/mysql"),
      object("ServiceAccount", "trillian-mysql-account"),
      role("election"),
      binding("election", "trillian-mysql-account"),
      object("Service", "trillian-mysql"),
      object("ConfigMap", "trillian-config"),
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
    const name = "trillian-mysql-account";
    const elsewhere = binding("rights", name);
    elsewhere.subjects = [{ kind: "ServiceAccount", name, namespace: "b" }];
    expect(postrender([deployment("trillian/mysql"), role("rights"), elsewhere])).toHaveLength(1);
  });

  test.each([
    [job("copy-secrets-job"), "batch/v1 Job a/copy-secrets-job"],
    [job("createtree-later"), "batch/v1 Job a/createtree-later"],
    [object("Secret", "random"), "v1 Secret a/random"],
    [object("PersistentVolumeClaim", "data"), "v1 PersistentVolumeClaim a/data"],
    [object("Namespace", "a"), "v1 Namespace a/a"],
    [object("Deployment", "old", { apiVersion: "extensions/v1beta1" }), "extensions/v1beta1"],
    [object("ClusterRole", "all"), "v1 ClusterRole a/all"],
    [deployment("rekor/mysql"), "apps/v1 Deployment a/rekor-mysql"],
    [deployment("rekor"), "apps/v1 Deployment a/rekor"],
    [object("Deployment", "bare", { apiVersion: "apps/v1" }), "apps/v1 Deployment a/bare"],
  ])("refuses $kind $metadata.name", (manifest, said) => {
    expect(() => postrender([manifest, object("Service", "server")])).toThrow(said);
  });

  test("names every object that it does not know", () => {
    const manifests = [job("other"), object("Secret", "random"), object("Service", "server")];
    expect(() => postrender(manifests)).toThrow(
      "batch/v1 Job a/other, v1 Secret a/random. Switch it off in infra/scaffold/values",
    );
  });

  test("the TSA gets probes, others do not", () => {
    const [tsa] = postrender([deployment("tsa")]);
    const [fulcio] = postrender([deployment("fulcio")]);
    expect(containerOf(tsa)).toMatchObject({
      readinessProbe: { httpGet: { path: "/ping", port: 5555 } },
      livenessProbe: { httpGet: { path: "/ping", port: 5555 } },
    });
    expect(containerOf(fulcio)).not.toHaveProperty("readinessProbe");
  });

  test("a probe of the TSA's own stays", () => {
    const readinessProbe = { httpGet: { path: "/own", port: 1 } };
    const [tsa] = postrender([deployment("tsa", { container: { readinessProbe } })]);
    expect(containerOf(tsa)).toMatchObject({ readinessProbe });
  });

  test("an exec probe becomes TCP with its timing, an HTTP one stays", () => {
    const readinessProbe = { exec: { command: ["/etc/init.d/mysql", "status"] }, periodSeconds: 2 };
    const livenessProbe = { httpGet: { path: "/healthz", port: 8090 } };
    const container = { readinessProbe, livenessProbe };
    const [database] = postrender([deployment("trillian/mysql", { container })]);
    expect(containerOf(database).readinessProbe).toEqual({
      tcpSocket: { port: 5555 },
      periodSeconds: 2,
    });
    expect(containerOf(database).livenessProbe).toEqual(livenessProbe);
  });

  test("a container without a port cannot be probed, and the error names it", () => {
    const bare = deployment("tsa", { container: { ports: [] } });
    expect(() => postrender([bare])).toThrow("a/tsa: container tsa has no port");
  });

  test("a pod has the pull secrets that its annotation names, in their order, and no other pod", () => {
    const annotated = deployment("tsa");
    specOf(annotated).template.metadata = { annotations: { [pullSecretsAnnotation]: "one,two" } };
    const [tsa] = postrender([annotated]);
    const [fulcio] = postrender([deployment("fulcio")]);
    expect(podOf(tsa).imagePullSecrets).toEqual([{ name: "one" }, { name: "two" }]);
    expect(podOf(fulcio)).not.toHaveProperty("imagePullSecrets");
    expect(postrender([tsa!])[0]).toEqual(tsa);
  });

  test("pull secrets that the chart has set stay", () => {
    const pod = { imagePullSecrets: [{ name: "own" }] };
    const annotated = deployment("tsa", { pod });
    specOf(annotated).template.metadata = { annotations: { [pullSecretsAnnotation]: "one" } };
    expect(podOf(postrender([annotated])[0])).toMatchObject(pod);
  });

  test("pods get no API token unless the chart's values gave one", () => {
    const [none] = postrender([deployment("trillian/mysql")]);
    const pod = { automountServiceAccountToken: true };
    const [given] = postrender([deployment("fulcio", { pod })]);
    expect(podOf(none)).toMatchObject({ automountServiceAccountToken: false });
    expect(podOf(given)).toMatchObject({ automountServiceAccountToken: true });
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

  /** The relative imports of the program, and of what those import. */
  function imported(file: string, seen = new Set<string>()): Set<string> {
    if (seen.has(file)) return seen;
    seen.add(file);
    const text = readFileSync(join(scaffold, file), "utf8");
    for (const [, path = ""] of text.matchAll(/ from "(\.[^"]+)"/g))
      imported(relative(scaffold, resolve(scaffold, dirname(file), path)), seen);
    return seen;
  }

  test("has a hash over all that it imports, and over nothing else", () => {
    expect([...imported("postrender.ts")].sort()).toEqual(postrenderSources().sort());
    expect(postrenderHash()).toMatch(/^[a-f0-9]{64}$/);
  });

  test("has another hash when any of its files changes, and the same in every checkout", () => {
    const copy = mkdtempSync(join(tmpdir(), "postrender-"));
    try {
      for (const file of postrenderSources())
        cpSync(join(scaffold, file), join(copy, file), { recursive: true });
      const hashes = [postrenderHash(copy)];
      expect(hashes).toEqual([postrenderHash()]);
      for (const file of postrenderSources()) {
        appendFileSync(join(copy, file), "// changed\n");
        hashes.push(postrenderHash(copy));
      }
      expect(new Set(hashes).size).toBe(1 + postrenderSources().length);
    } finally {
      rmSync(copy, { recursive: true });
    }
  });
});
