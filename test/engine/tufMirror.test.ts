import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { signRoot, signSnapshot, signTargets } from "../../infra/trust/tuf/metadata.ts";
import type { PublishedVersion } from "../../infra/trust/tuf/repository.ts";
import { readTimestamp } from "../../infra/trust/tuf/timestamp.ts";
import { listAt, objectAt, textAt, type Props } from "../../local/pulumi/values.ts";
import { ecKeyPair } from "../unit/trust/fixture.ts";
import { Client, Mirror } from "../support/mirror.ts";
import { Engine } from "./support/engine.ts";
import { mountsOf, SignerJobs } from "./support/jobs.ts";

const keys = { root: ecKeyPair(), online: ecKeyPair(), timestamp: ecKeyPair() };
const inAYear = new Date(Date.now() + 365 * 86_400_000);
const namespace = "tuf";

const root = signRoot({
  version: 1,
  expires: inAYear,
  root: { keys: [keys.root.publicKeyPem], threshold: 1 },
  targets: [keys.online.publicKeyPem],
  snapshot: [keys.online.publicKeyPem],
  timestamp: [keys.timestamp.publicKeyPem],
  signers: [keys.root],
});

function publication(version: number): PublishedVersion {
  const targetFiles = [{ name: "says.txt", content: `publication ${version}` }];
  const common = { version, expires: inAYear, signer: keys.online };
  const targets = signTargets({ ...common, targets: targetFiles });
  const snapshot = signSnapshot({ ...common, targets: { version, content: targets } });
  return { version, targets, snapshot, targetFiles };
}
const publications = [1, 2, 3].map(publication);

let engine: Engine;
let jobs: SignerJobs;

function configure(version: number, changes: Record<string, string> = {}): void {
  const served = publications.slice(Math.max(0, version - 2), version);
  const values: Record<string, string> = {
    repository: JSON.stringify({ roots: [root], publications: served }),
    key: keys.timestamp.privateKeyPem,
    ...changes,
  };
  const entries = Object.entries(values).map(([key, value]) => [`tuf-mirror:${key}`, value]);
  engine.setConfig(Object.fromEntries(entries) as Record<string, string>);
}

/** The objects of a kind, the oldest first. */
const of = (kind: string) =>
  engine.cluster.all().filter((object) => object["kind"] === kind && object["apiVersion"] !== "");
const one = (kind: string): Props => {
  const [first, ...others] = of(kind);
  if (first === undefined || others.length > 0) throw new Error(`${others.length + 1} ${kind}`);
  return first;
};
const nameOf = (object: Props) => textAt(object, "metadata", "name");

/** What a client gets: the files of the one Deployment that the Service picks. */
async function served(): Promise<Record<string, string>> {
  const selector = Object.entries(objectAt(one("Service"), "spec", "selector"));
  const picked = of("Deployment").filter((deployment) => {
    const labels = objectAt(deployment, "spec", "template", "metadata", "labels");
    return selector.every(([key, value]) => labels[key] === value);
  });
  if (picked.length !== 1) throw new Error(`the Service picks ${picked.length} Deployments`);
  const pod = objectAt(picked[0], "spec", "template", "spec");
  const { repository, timestamp } = await mountsOf(engine.cluster, namespace, pod);
  return { ...repository, ...timestamp };
}

const servedTimestamp = async () => readTimestamp((await served())["timestamp.json"]!)!;

beforeAll(async () => {
  engine = await Engine.create({ project: join(import.meta.dirname, "fixtures/tuf-mirror") });
});
afterAll(() => engine.close());
beforeEach(() => {
  jobs = new SignerJobs(engine.cluster);
});

describe("the mirror", () => {
  const mirror = new Mirror();
  let client: Client;
  const readByClient = async () => {
    mirror.files = await served();
    return client.read("says.txt");
  };

  beforeAll(async () => {
    await mirror.open();
    client = new Client(mirror, root);
  });
  afterAll(async () => {
    client.dispose();
    await mirror.close();
  });

  test("a preview makes nothing and signs nothing", async () => {
    configure(1);
    (await engine.preview()).expectSuccess();
    expect(engine.cluster.all()).toEqual([]);
  });

  test("is served when its timestamp is signed, and then has a schedule", async () => {
    const outcome = (await engine.up()).expectSuccess();
    const made = outcome.changes.map(({ name }) => name);
    const order = [
      "tuf-revision-repository",
      "tuf-revision-signing",
      "tuf-revision-server",
      "tuf-mirror-service-service",
      "tuf-schedule-cronjob",
    ];
    expect(made.filter((name) => order.includes(name))).toEqual(order);
    expect(await readByClient()).toBe("publication 1");
    expect((await engine.preview("--expect-no-changes")).code).toBe(0);
  });

  test("a renewed timestamp is no drift, and no update touches it", async () => {
    const before = await servedTimestamp();
    expect(await jobs.runSchedule(namespace)).toMatch(/^signed timestamp \d+ for snapshot 1 /);
    const renewed = await servedTimestamp();
    expect(renewed.version).toBeGreaterThan(before.version);
    const refreshed = (await engine.up("--refresh", "--expect-no-changes")).expectSuccess();
    expect(refreshed.changes).toEqual([]);
    expect(await servedTimestamp()).toEqual(renewed);
    expect(await readByClient()).toBe("publication 1");
  });

  test("a new publication is made beside the old one, shown at once, and then tidied up", async () => {
    configure(2);
    const [before] = of("Deployment");
    const seen: string[] = [];
    const states: Promise<{ version: number; snapshot: { version: number } }>[] = [];
    engine.cluster.beforeWrite = (verb, { kind }) => {
      seen.push(`${verb} ${kind}`);
      states.push(servedTimestamp());
    };
    const outcome = (await engine.up()).expectSuccess();
    engine.cluster.beforeWrite = () => undefined;
    expect(seen).toEqual([
      "create ConfigMap",
      "create Job",
      "apply ConfigMap", // by the signer
      "create Deployment",
      "apply Service",
      "apply CronJob",
      ...["delete Deployment", "delete Job", "delete ConfigMap"],
    ]);
    expect(outcome.ops("tuf-mirror-service-service")).toEqual(["update"]);
    const shown = (await Promise.all(states)).map(({ version, snapshot }) => ({
      version,
      snapshot: snapshot.version,
    }));
    expect(shown.map(({ snapshot }) => snapshot)).toEqual([1, 1, 1, 1, 1, 2, 2, 2, 2]);
    expect(shown.map(({ version }) => version)).toEqual(
      shown.map(({ version }) => version).toSorted((a, b) => a - b),
    );
    expect(nameOf(one("Deployment"))).not.toBe(nameOf(before!));
    expect(await readByClient()).toBe("publication 2");
  });

  test("clients who read the timestamp just before still find the files that it names", async () => {
    expect(await served()).toMatchObject({
      "1.snapshot.json": publications[0]!.snapshot,
      "1.targets.json": publications[0]!.targets,
    });
  });

  test("another image is another serving state too, without a new signature", async () => {
    const before = await servedTimestamp();
    const label = objectAt(one("Service"), "spec", "selector");
    configure(2, { nginx: "fedcba9876543210" });
    const outcome = (await engine.up()).expectSuccess();
    expect(outcome.changes.map(({ op, name }) => `${op} ${name}`)).toEqual([
      "create-replacement tuf-revision-server",
      "replace tuf-revision-server",
      "update tuf-mirror-service-service",
      "delete-replaced tuf-revision-server",
    ]);
    expect(objectAt(one("Service"), "spec", "selector")).not.toEqual(label);
    expect(await servedTimestamp()).toEqual(before);
    configure(2);
    (await engine.up()).expectSuccess();
  });

  test("the object with the timestamps may be lost: the next update has it signed anew", async () => {
    const before = await servedTimestamp();
    const ref = { apiVersion: "v1", kind: "ConfigMap", namespace, name: "tuf-timestamp" };
    await engine.cluster.delete(ref);
    await expect(jobs.runSchedule(namespace)).rejects.toThrow(
      "tuf-timestamp not found\nRun `pulumi up --refresh`",
    );
    const outcome = (await engine.up("--refresh")).expectSuccess();
    expect(outcome.ops("tuf-timestamp-state")).toContain("create");
    expect(outcome.ops("tuf-revision-signing")).toContain("create-replacement");
    const after = await servedTimestamp();
    expect(after.version).toBeGreaterThan(before.version);
    expect(await readByClient()).toBe("publication 2");
  });

  test("a Job that fails stops the update before clients see it; the same update mends it", async () => {
    configure(3);
    jobs.broken = true;
    const failed = await engine.up();
    expect(failed.code).not.toBe(0);
    expect(failed.errors.join("\n")).toContain("Job has reached its backoff limit");
    expect(await readByClient()).toBe("publication 2");
    expect(await jobs.runSchedule(namespace)).toMatch(/^signed timestamp \d+ for snapshot 2 /);
    jobs.broken = false;
    (await engine.up()).expectSuccess();
    expect(await readByClient()).toBe("publication 3");
    expect(of("Job").map((job) => listAt(job, "status", "conditions")[0]?.["type"])).toEqual([
      "Complete",
    ]);
  });

  test("the schedule is pointed at what is served, and nothing of what was is left", async () => {
    const names = of("ConfigMap").map(nameOf);
    expect(names.filter((name) => name.startsWith("tuf-revision-repository"))).toHaveLength(1);
    const [volume] = listAt(
      objectAt(one("CronJob"), "spec", "jobTemplate", "spec", "template", "spec"),
      "volumes",
    ).filter((item) => item["name"] === "snapshot");
    expect(names).toContain(textAt(volume, "configMap", "name"));
    expect(await jobs.runSchedule(namespace)).toMatch(/for snapshot 3 /);
  });
});

describe("the signer", () => {
  test("has a key that lies in one Secret, and may read and write one object", async () => {
    const holding = engine.cluster
      .all()
      .filter((object) => {
        const text = JSON.stringify(object);
        const pem = keys.timestamp.privateKeyPem;
        return text.includes(pem.slice(40, 80)) || text.includes(base64(pem).slice(60, 100));
      })
      .map((object) => `${textAt(object, "kind")} ${nameOf(object)}`);
    expect(holding).toEqual([expect.stringMatching(/^Secret tuf-timestamp-key-/)]);
    expect(listAt(one("Role"), "rules")).toEqual([
      {
        apiGroups: [""],
        resources: ["configmaps"],
        resourceNames: ["tuf-timestamp"],
        verbs: ["get", "update"],
      },
    ]);
    const { text } = await engine.exportState();
    expect(text).not.toContain(base64(keys.timestamp.privateKeyPem).slice(60, 100));
  });
});

const base64 = (text: string) => Buffer.from(text).toString("base64");
