import { createHash, X509Certificate } from "node:crypto";
import type * as pulumi from "@pulumi/pulumi";
import type { LogTarget } from "./observe/logs.ts";
import {
  componentNamespace,
  ctLogName,
  fulcioName,
  rekorNames,
  rekorNamespace,
  servicePort,
  tsaName,
  tufNamespace,
} from "./scaffold/names.ts";
import { ctLogPrefix } from "./platform/exposure.ts";
import { mirrorService } from "./platform/tuf/names.ts";
import type { Plan } from "./trust/decide.ts";
import { one, some, type ByGeneration } from "./trust/each.ts";
import type { Facts } from "./trust/gate.ts";
import type { FulcioCaRecord, LogRecord } from "./trust/records.ts";
import { sha256 } from "./trust/tuf/metadata.ts";
import type { TufPublication } from "./trust/tuf/publication.ts";

/** Where the stack's Services are inside the cluster, as NAMESPACE/SERVICE:PORT. */
export function serviceNames(prefix: string) {
  const at = (namespace: string, service: string) => `${namespace}/${service}:${servicePort}`;
  return {
    ctLog: at(componentNamespace(prefix, "ctlog"), ctLogName),
    fulcio: at(componentNamespace(prefix, "fulcio"), fulcioName),
    tuf: at(tufNamespace(prefix), mirrorService.name),
    tsa: at(componentNamespace(prefix, "tsa"), tsaName),
    rekor: (generation: number) =>
      at(rekorNamespace(prefix, generation), rekorNames(generation).server),
  };
}

/** Where a log of this stack is asked inside the cluster. */
export function logTarget(kind: LogTarget["kind"], prefix: string, record: LogRecord): LogTarget {
  const { generation, origin, publicKeyPem, treeId } = record;
  const names = serviceNames(prefix);
  const service = kind === "ctLog" ? names.ctLog : names.rekor(generation);
  return { kind, service, origin, publicKeyPem, treeId };
}

/** SHA-256 of the DER of a CA's root, in hex: what get-roots and the trust bundle are compared with. */
export function rootFingerprint({ chain }: FulcioCaRecord): string {
  return createHash("sha256")
    .update(new X509Certificate(chain.at(-1) ?? "").raw)
    .digest("hex");
}

/** What the gates' expectations are made of, besides records. */
export interface Scene {
  prefix: string;
  /** The kubeconfig's context, where the stack names one. */
  context: string | undefined;
  plan: Plan;
  /** The CT log that Fulcio writes to, as Fulcio reaches it. */
  ctLogUrl: string;
  fulcioCas: ByGeneration<{ record: pulumi.Output<FulcioCaRecord> }>;
  ctLogs: ByGeneration<{ record: pulumi.Output<LogRecord> }>;
  rekors: ByGeneration<{ record: pulumi.Output<LogRecord> }>;
}

/** What must be true before Fulcio is touched: each replica accepts, and the mirror lists. */
export function producersExpectation(scene: Scene, publication: TufPublication): Facts {
  const { prefix, context, plan } = scene;
  const served = [...plan.ctLog.accepts, ...plan.ctLog.readOnly];
  return {
    before: `Fulcio issues with CA ${plan.fulcioCa.issues} and writes to CT log ${plan.ctLog.issues}`,
    context,
    ctLog: {
      service: serviceNames(prefix).ctLog,
      prefixes: served.map(ctLogPrefix).join(" "),
      roots: mapValues(some(scene.fulcioCas, plan.fulcioCa.accepts), ({ record }) =>
        record.apply(rootFingerprint),
      ),
    },
    mirror: { service: serviceNames(prefix).tuf, ...publishedFacts(publication) },
    logs: logFacts(prefix, some(scene.ctLogs, served), scene.rekors),
  };
}

/** What must be true before a change of Fulcio counts: no replica uses the former generation. */
export function switchedExpectation(scene: Scene): Facts {
  const { prefix, context, plan, ctLogUrl } = scene;
  return {
    before: `Fulcio's use of CA ${plan.fulcioCa.issues} and CT log ${plan.ctLog.issues} is written down`,
    context,
    fulcio: {
      service: serviceNames(prefix).fulcio,
      root: one(scene.fulcioCas, plan.fulcioCa.issues).record.apply(rootFingerprint),
      ctLogUrl,
    },
    logs: logFacts(prefix, some(scene.ctLogs, [plan.ctLog.issues]), scene.rekors),
  };
}

/** What a mirror that serves this publication answers. */
export function publishedFacts({ initialRoot, version, current }: TufPublication): Facts {
  return {
    root: initialRoot.apply(sha256),
    version: String(version),
    revision: current.revision,
  };
}

function logFacts(prefix: string, ctLogs: Scene["ctLogs"], rekors: Scene["rekors"]): Facts {
  const facts = (kind: LogTarget["kind"], slug: string, logs: Scene["ctLogs"]) =>
    Object.entries(logs).map(([n, { record }]) => [
      `${slug}${n}`,
      record.apply((known) =>
        JSON.stringify({ name: `${slug}-${n}`, ...logTarget(kind, prefix, known) }),
      ),
    ]);
  return Object.fromEntries([
    ...facts("ctLog", "ctlog", ctLogs),
    ...facts("rekor", "rekor", rekors),
  ]) as Facts;
}

function mapValues<T, U>(all: ByGeneration<T>, change: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(all).map(([n, value]) => [n, change(value)]));
}
