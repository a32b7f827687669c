import { beforeAll, expect, test } from "vitest";
import { startHost } from "../../local/pulumi/host.ts";
import { MemoryCluster } from "../../local/pulumi/kubernetes/memoryCluster.ts";
import { ensureTools } from "../../local/tools/index.ts";
import { compareAnswer } from "./support/compare.ts";
import {
  PluginClient,
  readRecording,
  recordingFiles,
  recordingsDir,
  type RecordedCall,
} from "./support/recordings.ts";

/**
 * The stand-in plugins against what the official ones answered, call by call, over gRPC. Every
 * difference that is left is in `explained`; a new one fails, and so does one that is gone.
 */

/** Types of the recorded program that ours does not use and the stand-ins do not have. */
const OUT_OF_SCOPE = /^tls:index\/(selfSignedCert|certRequest|locallySignedCert):/;

const explained: Record<string, string> = {
  "11-await-fails:40 Update own | errors[0]":
    "Same status and first line. The official plugin adds that its client refuses to look once " +
    "more after a cancellation; ours does not look.",
};

interface Count {
  compared: number;
  equal: number;
  outOfScope: number;
}

const newCount = (): Count => ({ compared: 0, equal: 0, outOfScope: 0 });

const cluster = new MemoryCluster();
let helm = "";

beforeAll(async () => {
  helm = (await ensureTools(["helm"], () => undefined))["helm"] ?? "";
});

/** Serves the plugins anew, as each run of the engine does. */
async function withPlugins(use: (clients: Map<string, PluginClient>) => Promise<void>) {
  const host = await startHost({ cluster, helm, directory: recordingsDir });
  const ports = (host.env["PULUMI_DEBUG_PROVIDERS"] ?? "").split(",").map((one) => one.split(":"));
  const clients = new Map(ports.map(([name = "", port = ""]) => [name, new PluginClient(port)]));
  try {
    await use(clients);
  } finally {
    for (const client of clients.values()) client.close();
    await host.close();
  }
}

/** What happened to the cluster between two recordings. */
async function prepare(file: string): Promise<void> {
  if (file === "08-refresh-after-delete") {
    for (const object of cluster.all()) {
      const { name } = object["metadata"] as { name: string };
      if (!/^(cfg|key-[0-9a-f]{8})$/.test(name)) continue;
      await cluster.delete({
        apiVersion: "v1",
        kind: object["kind"] as string,
        namespace: "rec",
        name,
      });
    }
  }
  if (file === "11-await-fails") {
    cluster.status = (object) => (object["kind"] === "Deployment" ? { conditions: [] } : undefined);
  }
  if (file === "12-destroy") cluster.status = () => undefined;
}

async function replay(call: RecordedCall, client: PluginClient | undefined): Promise<string[]> {
  if (client === undefined) return [`no stand-in for ${call.plugin}`];
  const answer = client.replay(call);
  // The recorded update waits for a Deployment that never gets ready, until Ctrl-C.
  if (call.file === "11-await-fails" && call.method === "Update") {
    await new Promise((resolve) => setTimeout(resolve, 200));
    await client.cancel();
  }
  return compareAnswer(call, await answer);
}

test("the stand-ins decide and answer as the official plugins did", async () => {
  const counts: Record<string, Count> = {};
  const found: string[] = [];
  const count = async (call: RecordedCall, client: PluginClient | undefined) => {
    const row = (counts[`${call.plugin} ${call.method}`] ??= newCount());
    if (OUT_OF_SCOPE.test(call.request.type)) {
      row.outOfScope++;
      return;
    }
    const differences = await replay(call, client);
    const where = `${call.file}:${call.index} ${call.method} ${call.request.name}`;
    row.compared++;
    if (differences.length === 0) row.equal++;
    for (const difference of differences) {
      const at = `${where} | ${difference.split(": ")[0]}`;
      if (!(at in explained)) console.log(`${where} | ${difference}`);
      found.push(at);
    }
  };
  for (const file of recordingFiles) {
    await prepare(file);
    await withPlugins(async (clients) => {
      for (const call of readRecording(file)) await count(call, clients.get(call.plugin));
    });
  }
  console.table(counts);
  const all = Object.values(counts);
  const sum = (key: keyof Count): number => all.reduce((total, count) => total + count[key], 0);
  console.log(
    `${sum("compared")} calls compared, ${sum("equal")} equal, ${sum("outOfScope")} out of scope`,
  );
  expect(found.sort()).toEqual(Object.keys(explained).sort());
});
