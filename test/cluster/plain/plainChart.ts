// For comparison: the chart as it comes, replacing its CA in its own way under the same load. It
// runs beside a running stack for two minutes and removes what it made:
//   node test/cluster/plain/plainChart.ts
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseOutputs } from "../../../cli/verify/outputs.ts";
import type { StackOutputs } from "../../../infra/outputs.ts";
import { signInIssuer } from "../../../infra/config/issuers.ts";
import { documents } from "../../../infra/trust/documents.ts";
import { outputsFile } from "../../../local/stack/environment.ts";
import { ensureTools } from "../../../local/tools/index.ts";
import { SigstoreJs } from "../support/js.ts";
import { Load } from "../support/load/load.ts";
import { adminKubeconfig } from "../support/node.ts";
import { RollWatcher } from "../support/load/rollWatcher.ts";
import { PlainChart, plainPrefix } from "./instance.ts";
import { serveMirror } from "./mirror.ts";

const say = (line: string) => console.error(`  ${line}`);

/** What clients of the plain chart's Fulcio know; Rekor and TSA are the stack's own. */
function trustDocuments({ records, issuers }: StackOutputs, { ca, log }: PlainChart) {
  const [rekor] = Object.values(records.rekor);
  const [tsa] = Object.values(records.tsa);
  if (rekor === undefined || tsa === undefined) throw new Error("the stack has no Rekor or TSA");
  return documents({
    records: { fulcioCa: [ca], ctLog: [log], rekor: [rekor], tsa: [tsa] },
    ...{ rekor, tsa, fulcioUrl: ca.uri, operator: "plain" },
    signIn: signInIssuer(issuers),
  });
}

/** The load of the rotation test, while the CA is replaced behind the CT log's back. */
async function compare(outputs: StackOutputs, plain: PlainChart, cosign: string): Promise<void> {
  const js = await SigstoreJs.start({ outputs });
  const blob = randomBytes(64);
  const oldBundles = [{ blob, bundle: await js.sign(blob) }];
  await js.dispose();
  const log = join(tmpdir(), "anchorhold-plain-chart.jsonl");
  const load = await Load.start({ outputs, cosign, oldBundles, log });
  const watcher = new RollWatcher(plainPrefix);
  try {
    await sleep(30_000);
    load.mark("a new CA in the Secret");
    outputs.records.fulcioCa["2"] = await plain.replaceCa();
    await sleep(10_000);
    load.mark("Fulcio's pod restarts");
    await plain.restartFulcio();
    await sleep(2_000);
    await watcher.settled();
    load.mark("after");
    await sleep(30_000);
  } finally {
    await load.stop();
    await watcher.stop();
  }
  console.log(load.table());
  const said = load.operations().filter(({ ok }) => !ok);
  for (const client of ["sigstore-js", "cosign"] as const) {
    const last = said.filter((operation) => operation.client === client).at(-1);
    console.log(`\nWhat ${client} says: ${last?.error ?? "nothing"}`);
  }
}

process.env.KUBECONFIG = adminKubeconfig();
const { helm, cosign } = await ensureTools(["helm", "cosign"], say);
if (helm === undefined || cosign === undefined) throw new Error("a tool has no path");
const outputs = parseOutputs(await readFile(outputsFile, "utf8"), outputsFile);
say("installing Fulcio and a CT log from the chart as it comes");
const plain = await PlainChart.install(outputs, helm);
try {
  const { mirror, initialRoot, close } = await serveMirror(trustDocuments(outputs, plain));
  say("the load runs for a minute and a half");
  const fulcioCa = { "1": plain.ca };
  const records = { ...outputs.records, fulcioCa, ctLog: { "1": plain.log } };
  await compare({ ...outputs, mirror, initialRoot, records }, plain, cosign).finally(close);
} finally {
  await plain.remove();
}
