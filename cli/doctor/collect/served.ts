import { createPublicKey } from "node:crypto";
import type { KubeConfig } from "@kubernetes/client-node";
import * as z from "zod";
import { serviceNames } from "../../../infra/expectations.ts";
import { verifyCheckpoint } from "../../../infra/observe/checkpoint.ts";
import { configuration, trustBundle } from "../../../infra/observe/fulcio.ts";
import { verifyTreeHead } from "../../../infra/observe/sth.ts";
import type { StackOutputs } from "../../../infra/outputs.ts";
import { componentNamespace, servicePort, tsaName } from "../../../infra/scaffold/names.ts";
import type { LogRecord } from "../../../infra/trust/records.ts";
import { oneLine } from "../../errors.ts";
import { certificateFingerprint, keyFingerprint, splitPem } from "../../verify/certificates.ts";
import type { CtLogAnswer, FulcioAnswer, RekorAnswer, Served, TsaAnswer } from "../evidence.ts";
import { ask } from "./ask.ts";
import { askMirror } from "./mirror.ts";
import { askReplicas, type Inspect } from "./replicas.ts";

/** Asks every pod of every service what it serves, one by one. */
export async function collectServed(config: KubeConfig, outputs: StackOutputs): Promise<Served> {
  const { prefix, records, life, initialRoot } = outputs;
  const names = serviceNames(prefix);
  const tsaService = `${componentNamespace(prefix, "tsa")}/${tsaName}:${servicePort}`;
  const logs = [...life.ctLog.accepts, ...life.ctLog.readOnly].flatMap(
    (generation) => records.ctLog[generation] ?? [],
  );
  const rekors = Object.entries(records.rekor).filter(([n]) => isServed(life.rekor.states[n]));
  const [fulcio, ctLog, tsa, tuf, ...rekor] = await Promise.all([
    askReplicas(config, names.fulcio, askFulcio),
    askReplicas(config, names.ctLog, askCtLog(logs)),
    askReplicas(config, tsaService, askTsa),
    askReplicas(config, names.tuf, askMirror(initialRoot)),
    ...rekors.map(([n, record]) => askReplicas(config, names.rekor(Number(n)), askRekor(record))),
  ]);
  return {
    fulcio,
    ctLog,
    tsa,
    tuf,
    rekor: Object.fromEntries(
      rekors.map(([generation], index) => [generation, rekor[index] ?? []]),
    ),
  };
}

/** A retired or distrusted log is not served any more. */
export const isServed = (state: string | undefined): boolean =>
  state !== "retired" && state !== "distrusted";

const askFulcio: Inspect<FulcioAnswer> = async (base, signal) => {
  const bundle = await ask(`${base}/api/v2/trustBundle`, signal);
  const config = await ask(`${base}/api/v2/configuration`, signal);
  const { chains } = trustBundle.parse(JSON.parse(bundle.text));
  const { issuers } = configuration.parse(JSON.parse(config.text));
  return {
    clock: bundle.date,
    answer: {
      chain: chains.flatMap(({ certificates }) => certificates.map(certificateFingerprint)),
      issuers: issuers.map(({ issuerUrl, wildcardIssuerUrl, audience }) => ({
        issuer: issuerUrl ?? wildcardIssuerUrl ?? "",
        clientId: audience,
      })),
    },
  };
};

const roots = z.object({ certificates: z.array(z.string()) });
const treeHead = z.object({
  tree_size: z.int(),
  timestamp: z.int(),
  sha256_root_hash: z.string(),
  tree_head_signature: z.string(),
});

/** get-roots and get-sth of every log (RFC 6962, sections 4.3 and 4.7). */
function askCtLog(logs: readonly LogRecord[]): Inspect<CtLogAnswer> {
  return async (base, signal) => {
    let clock: Date | undefined;
    const answer: CtLogAnswer = {};
    for (const { origin, publicKeyPem } of logs) {
      const accepted = await ask(`${base}/${origin}/ct/v1/get-roots`, signal);
      const head = await ask(`${base}/${origin}/ct/v1/get-sth`, signal);
      clock = head.date;
      const { certificates } = roots.parse(JSON.parse(accepted.text));
      answer[origin] = {
        roots: certificates.map((der) => certificateFingerprint(Buffer.from(der, "base64"))),
        fault: faultOf(() =>
          verifyTreeHead(treeHead.parse(JSON.parse(head.text)), createPublicKey(publicKeyPem)),
        ),
      };
    }
    return { answer, clock };
  };
}

const logInfo = z.object({ signedTreeHead: z.string(), treeID: z.string() });

function askRekor(record: LogRecord): Inspect<RekorAnswer> {
  return async (base, signal) => {
    const info = await ask(`${base}/api/v1/log`, signal);
    const key = await ask(`${base}/api/v1/log/publicKey`, signal);
    const { treeID, signedTreeHead } = logInfo.parse(JSON.parse(info.text));
    const fault = faultOf(() =>
      verifyCheckpoint(signedTreeHead, record.origin, createPublicKey(record.publicKeyPem)),
    );
    return {
      answer: { treeId: treeID, key: keyFingerprint(key.text), fault },
      clock: info.date,
    };
  };
}

const askTsa: Inspect<TsaAnswer> = async (base, signal) => {
  const { text, date } = await ask(`${base}/api/v1/timestamp/certchain`, signal);
  return { answer: { chain: splitPem(text).map(certificateFingerprint) }, clock: date };
};

/** What a check says that fails; undefined when it passes. */
function faultOf(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    return oneLine(error);
  }
}
