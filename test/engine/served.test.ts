import { createPublicKey } from "node:crypto";
import { get } from "node:http";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { connect } from "../../cli/trillian/client.ts";
import { loadKubeConfig } from "../../infra/observe/kubeconfig.ts";
import { forwardToService } from "../../infra/observe/service.ts";
import { compareLog } from "../../cli/verify/rekor.ts";
import { verifyTreeHead, type SignedTreeHead } from "../../infra/observe/sth.ts";
import { outputsSchema, type StackOutputs } from "../../infra/outputs.ts";
import { flattenPath } from "../../infra/trust/tuf/repository.ts";
import type { MemoryCluster } from "../../local/pulumi/kubernetes/memoryCluster.ts";
import { refOf } from "../../local/pulumi/kubernetes/cluster.ts";
import { objectAt, type Props } from "../../local/pulumi/values.ts";
import { TrillianStandIn } from "../support/trillian.ts";
import { fulcioCaRecord, logRecord, tsaRecord } from "../unit/trust/fixture.ts";
import { isReady, podsOf } from "./support/pods.ts";
import { republish, type Published } from "./support/republish.ts";
import { Served } from "./support/served.ts";
import { trySign, type Signing } from "./support/signer.ts";
import { mirrorUrl, ProgramUnderTest } from "./support/stack.ts";

let program: ProgramUnderTest;
let outputs: StackOutputs;
/** A copy for each test to spoil. */
let cluster: MemoryCluster;
let served: Served;

beforeAll(async () => {
  program = await ProgramUnderTest.create();
  (await program.engine.up()).expectSuccess();
  outputs = outputsSchema.parse(await program.engine.stackOutputs());
});

afterAll(() => program.close());

beforeEach(() => {
  cluster = program.engine.cluster.clone();
  served = new Served(cluster);
});

function sign(): Promise<Signing> {
  return trySign(served, mirrorUrl);
}

function refused(reason: string): Signing {
  return { result: "refused", reason: expect.stringContaining(reason) as string };
}

/** The object whose name begins so. */
function find(kind: string, namespace: string, name: string): Props {
  const found = cluster.all().find((object) => {
    const ref = refOf(object);
    return ref.kind === kind && ref.namespace === namespace && ref.name.startsWith(name);
  });
  if (found === undefined) throw new Error(`no ${kind} ${namespace}/${name}`);
  return found;
}

/** Changes keys of a Secret (text; undefined takes the key away). */
function change(namespace: string, name: string, values: Record<string, string | undefined>): void {
  const secret = find("Secret", namespace, name);
  const data = { ...objectAt(secret, "data") };
  for (const [key, value] of Object.entries(values)) {
    if (value === undefined) delete data[key];
    else data[key] = Buffer.from(value).toString("base64");
  }
  cluster.put({ ...secret, data });
}

function textOf(namespace: string, name: string, key: string): string {
  const data = objectAt(find("Secret", namespace, name), "data");
  return Buffer.from(data[key] as string, "base64").toString();
}

const prefix = "anchorhold-local";
const [ctlog, fulcio, tuf, trillian] = [
  `${prefix}-ctlog`,
  `${prefix}-fulcio`,
  `${prefix}-tuf`,
  `${prefix}-trillian`,
];

describe("what the program deploys", () => {
  test("every pod is Ready, and a client signs", async () => {
    const waiting = podsOf(cluster).filter((pod) => !isReady(pod));
    expect(waiting.map((pod) => served.trouble(pod))).toEqual([]);
    expect(await sign()).toEqual({ result: "signed" });
  });

  test("each log counts what it takes, under heads that its recorded key signs", async () => {
    const record = outputs.records.ctLog["1"]!;
    const [endpoint] = served.endpoints(record.baseUrl);
    const head = () =>
      JSON.parse(String(endpoint!.service.get("/ctlog-1/ct/v1/get-sth").body)) as SignedTreeHead;
    const key = createPublicKey(record.publicKeyPem);
    expect(head().tree_size).toBe(0);
    await sign();
    // Every replica of Fulcio has its certificate taken by every replica of the log.
    const once = head().tree_size;
    expect(once).toBeGreaterThan(0);
    await sign();
    expect(head().tree_size).toBe(2 * once);
    expect(() => verifyTreeHead(head(), key)).not.toThrow();
    expect(endpoint!.service.get("/ctlog-2/ct/v1/get-sth").status).toBe(404);
    const rekors = served.endpoints(outputs.services.rekor);
    const info = JSON.parse(String(rekors[0]!.service.get("/api/v1/log").body)) as Parameters<
      typeof compareLog
    >[0];
    expect(compareLog(info, outputs.records.rekor["1"]!).result).toBe("ok");
    expect(info.treeSize).toBe(2 * rekors.length);
  });

  test("a port-forward reaches the same answers, and Trillian's log server", async () => {
    vi.stubEnv("KUBECONFIG", program.kubeconfig);
    const mirror = await forwardToService(loadKubeConfig(), {
      namespace: tuf,
      service: "tuf",
      port: 80,
    });
    const body = await new Promise<string>((resolve, reject) => {
      get(`http://${mirror.address}/1.root.json`, (response) => {
        text(response).then(resolve, reject);
      }).on("error", reject);
    });
    const logServer = { namespace: trillian, service: "trillian-logserver", port: 8091 };
    const forward = await forwardToService(loadKubeConfig(), logServer);
    const client = connect(forward.address);
    const trees = await client.listTrees();
    client.close();
    mirror.close();
    forward.close();
    vi.unstubAllEnvs();
    expect(body).toBe(outputs.initialRoot);
    expect(trees.map(({ treeId }) => treeId)).toEqual(
      program.trillian.trees.map(({ treeId }) => treeId),
    );
  });
});

describe("a pod does not start, and its Deployment is not ready,", () => {
  test.each<[string, () => unknown, string, string]>([
    [
      "without its Secret",
      () => cluster.delete(refOf(find("Secret", ctlog, "ctlog-config"))),
      "ctlog",
      "not found",
    ],
    [
      "when a file that the configuration names is missing",
      () => change(ctlog, "ctlog-config", { "fulcio-ca-1.pem": undefined }),
      "ctlog",
      "open /ctfe-keys/fulcio-ca-1.pem: no such file or directory",
    ],
    [
      "with another log's key",
      () =>
        change(ctlog, "ctlog-config", {
          config: textOf(ctlog, "ctlog-config", "config").replace(
            /der: ".*"/,
            `der: "${octal(logRecord(1, "http://x").publicKeyPem)}"`,
          ),
        }),
      "ctlog",
      "public key is not consistent with private key",
    ],
    [
      "when two logs share a prefix",
      () =>
        change(ctlog, "ctlog-config", {
          config: textOf(ctlog, "ctlog-config", "config").replace(
            /( {2}config \{[^]*\n {2}\}\n)/,
            "$1$1",
          ),
        }),
      "ctlog",
      "duplicate prefix",
    ],
    [
      "with a CA that is not its key's",
      () => change(fulcio, "fulcio-signer", { cert: foreign.fulcio }),
      "fulcio-server",
      "public keys are not equal",
    ],
    [
      "without a timestamp.json to show",
      () => {
        const map = find("ConfigMap", tuf, "tuf-mirror-revision-repository");
        const data = {
          ...objectAt(map, "data"),
          "nginx.conf": "events {} http { server { listen 8080; root /x; } }",
        };
        cluster.put({ ...map, data });
      },
      "tuf",
      "Readiness probe failed: /timestamp.json answered 404",
    ],
  ])("%s", async (_when, spoil, deployment, reason) => {
    await spoil();
    const pods = podsOf(cluster).filter((pod) => refOf(pod).name.startsWith(deployment));
    expect(pods).not.toEqual([]);
    for (const pod of pods) {
      expect(isReady(pod)).toBe(false);
      expect(served.trouble(pod)).toContain(reason);
    }
  });
});

const foreign = { fulcio: "", tsa: "" };
beforeAll(async () => {
  foreign.fulcio = (await fulcioCaRecord(1)).chain.join("");
  foreign.tsa = (await tsaRecord(1)).chain.join("");
});

describe("a client is refused", () => {
  test("a service that is not there is no matter of trust", async () => {
    await cluster.delete(refOf(find("Deployment", fulcio, "fulcio-server")));
    const reason = "http://localhost:31081: connection refused";
    expect(await sign()).toEqual({ result: "unreachable", reason });
  });

  test("when the CT log does not take Fulcio's CA", async () => {
    change(ctlog, "ctlog-config", { "fulcio-ca-1.pem": foreign.fulcio });
    expect(await sign()).toEqual(refused("Error entering certificate in CTL"));
  });

  test("when the CT log has become read-only", async () => {
    const config = textOf(ctlog, "ctlog-config", "config");
    change(ctlog, "ctlog-config", { config: config.replace("log_id", "is_readonly: true log_id") });
    expect(await sign()).toEqual(refused("Error entering certificate in CTL: HTTP 404"));
  });

  test("when Trillian does not know the log's tree", async () => {
    served = new Served(cluster, { standIn: new TrillianStandIn(), address: "" });
    expect(await sign()).toEqual(refused("Error entering certificate in CTL"));
  });

  test("when the mirror serves something else than was signed", async () => {
    const map = find("ConfigMap", tuf, "tuf-mirror-revision-repository");
    const data = { ...objectAt(map, "data") };
    const key = Object.keys(data).find((name) => name.endsWith("trusted_root.json"))!;
    cluster.put({ ...map, data: { ...data, [key]: "{}" } });
    expect(await sign()).toEqual(refused("trusted_root.json: hash mismatch"));
  });

  test.each<[string, (published: Published) => Published | Promise<Published>, string]>([
    ["nothing (the republished mirror works)", (same) => same, ""],
    [
      "the CA",
      async (published) => ({ ...published, fulcioCa: [await fulcioCaRecord(1)] }),
      "failed to verify leaf certificate",
    ],
    [
      "the CT log",
      (published) => ({ ...published, ctLog: [logRecord(1, "http://other")] }),
      "only able to verify 0 SCT entries",
    ],
    [
      "the TSA",
      async (published) => ({ ...published, tsa: [await tsaRecord(1)] }),
      "unable to verify timestamps",
    ],
    [
      "Rekor",
      (published) => ({ ...published, rekor: [logRecord(1, "http://other")] }),
      "not enough verified log entries from transparency log: 0 < 1",
    ],
    [
      "the CA's window, which opens tomorrow",
      (published) => ({
        ...published,
        fulcioCa: published.fulcioCa.map((ca) => ({ ...ca, start: tomorrow() })),
      }),
      "failed to verify leaf certificate",
    ],
    [
      "metadata that has not expired",
      (published) => ({ ...published, expires: new Date(Date.now() - 1000) }),
      "is expired",
    ],
  ])("when the mirror lacks %s", async (_what, edit, reason) => {
    const map = find("ConfigMap", tuf, "tuf-mirror-revision-repository");
    const files = republish(
      outputs,
      await edit({ ...lists(outputs), expires: new Date(tomorrow()) }),
    );
    const item = (path: string) => ({ key: flattenPath(path), path });
    const data = Object.fromEntries(
      Object.entries(files).map(([path, file]) => [flattenPath(path), file]),
    );
    cluster.put({ ...map, data: { ...data, "nginx.conf": objectAt(map, "data")["nginx.conf"]! } });
    const deployment = find("Deployment", tuf, "tuf");
    const spec = structuredClone(deployment["spec"]) as unknown as {
      template: { spec: { volumes: { name: string; configMap?: object }[] } };
    };
    const { name } = refOf(map);
    for (const volume of spec.template.spec.volumes) {
      if (volume.name === "repository")
        volume.configMap = { name, items: Object.keys(files).map(item) };
      if (volume.name === "timestamp") volume.configMap = { name, items: [item("timestamp.json")] };
    }
    cluster.put({ ...deployment, spec: spec as unknown as Props });
    expect(await sign()).toEqual(reason === "" ? { result: "signed" } : refused(reason));
  });
});

function lists({ records }: StackOutputs): Omit<Published, "expires"> {
  return {
    fulcioCa: Object.values(records.fulcioCa),
    ctLog: Object.values(records.ctLog),
    rekor: Object.values(records.rekor),
    tsa: Object.values(records.tsa),
  };
}

function tomorrow(): string {
  return `${new Date(Date.now() + 86_400_000).toISOString().slice(0, 19)}Z`;
}

/** A key's DER as a protobuf text literal. */
function octal(publicKeyPem: string): string {
  const der = createPublicKey(publicKeyPem).export({ type: "spki", format: "der" });
  return [...der].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
}
