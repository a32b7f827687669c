// A private Sigstore, read from top to bottom: configuration and records → decide → trust → logs →
// publication → producers → outputs. Nothing is registered before `decide` has agreed.
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { loadConfig } from "./config.ts";
import { addresses, ctLogPrefix, rekorPort } from "./platform/exposure.ts";
import { namespace } from "./platform/namespace.ts";
import { Probe } from "./platform/probe.ts";
import { TufServer } from "./platform/tufServer.ts";
import { chartVersion } from "./scaffold/chart.ts";
import { imageReference, selectImages } from "./scaffold/images.ts";
import { CtLog } from "./services/ctLog.ts";
import { Fulcio } from "./services/fulcio.ts";
import type { ReleaseContext } from "./services/release.ts";
import { Rekor } from "./services/rekor.ts";
import { Trillian } from "./services/trillian.ts";
import { Tsa } from "./services/tsa.ts";
import { decide } from "./trust/decide.ts";
import { documents } from "./trust/documents.ts";
import { each, one, recordsOf } from "./trust/each.ts";
import { FulcioCa } from "./trust/fulcioCa.ts";
import { recall } from "./trust/recall.ts";
import { trustOptions } from "./trust/record.ts";
import { TimestampAuthority } from "./trust/timestampAuthority.ts";
import { TransparencyLog } from "./trust/transparencyLog.ts";
import { TufOnlineKeys, TufRootKeys } from "./trust/tuf/keys.ts";
import { TufPublication } from "./trust/tuf/publication.ts";
import { sha256 } from "./trust/tuf/metadata.ts";

// What shall be, what was, and whether the step between is allowed.
const now = new Date();
const config = loadConfig();
chartVersion(config.chart); // refuses here, before a Release would, when others are made already
const context: ReleaseContext = {
  chart: config.chart,
  prefix: config.prefix,
  labels: config.labels,
  images: selectImages(config.images),
};
const remembered = await recall();
const plan = decide(config.trust, remembered.records, now);
const at = addresses(config.exposure);
const { ports } = config.exposure;
const known = remembered.records;

// The logs' backend, which trees are made in.
const trillian = new Trillian("trillian", {
  ...context,
  database: config.database,
  treeAccess: config.treeAccess,
  replicas: config.replicas.trillianLogServer,
});
const instance = new random.RandomUuid("instance", {}, trustOptions);

// Trust: one component a generation, each made once.
const log = (generation: number, baseUrl: string, origin: string, before: typeof known.rekor) => ({
  generation,
  baseUrl,
  origin,
  instance: instance.result,
  access: trillian.access,
  known: before?.[generation],
  now,
});
const afterTrillian = { dependsOn: [trillian] };
const fulcioCas = each(
  plan.fulcioCa,
  (n) =>
    new FulcioCa(`fulcio-ca-${n}`, {
      generation: n,
      subject: config.subjects.fulcioCa,
      uri: at.fulcio,
      known: known.fulcioCa?.[n],
      now,
    }),
);
const tsas = each(
  plan.tsa,
  (n) =>
    new TimestampAuthority(`tsa-${n}`, {
      generation: n,
      subject: config.subjects.tsa,
      uri: at.tsa,
      known: known.tsa?.[n],
      now,
    }),
);
const ctLogs = each(
  plan.ctLog,
  (n) =>
    new TransparencyLog(
      `ctlog-${n}`,
      log(n, at.ctLog(n), ctLogPrefix(n), known.ctLog),
      afterTrillian,
    ),
);
const rekors = each(
  plan.rekor,
  (n) =>
    new TransparencyLog(
      `rekor-${n}`,
      log(n, at.rekor(n), config.exposure.host, known.rekor),
      afterTrillian,
    ),
);
const tufRoots = each(
  plan.tufRoot,
  (n) => new TufRootKeys(`tuf-root-${n}`, { generation: n, known: known.tufRoot?.[n], now }),
);
const tufOnlines = each(
  plan.tufOnline,
  (n) => new TufOnlineKeys(`tuf-online-${n}`, { generation: n, known: known.tufOnline?.[n], now }),
);

// The logs: serving is not yet using.
const ctLog = new CtLog(
  "ctlog",
  {
    ...context,
    logs: Object.fromEntries(Object.entries(ctLogs).map(([n, made]) => [`ctlog-${n}`, made])),
    accepts: plan.fulcioCa.accepts.map((n) => one(fulcioCas, n).record),
    backend: trillian.backend,
    nodePort: ports.ctLog,
    replicas: config.replicas.ctLog,
  },
  afterTrillian,
);
const rekorServers = each(
  plan.rekor,
  (n) =>
    new Rekor(
      `rekor-${n}-server`,
      {
        ...context,
        generation: n,
        log: one(rekors, n),
        hostname: config.exposure.host,
        backend: trillian.backend,
        nodePort: rekorPort(config.exposure, n),
        replicas: config.replicas.rekor,
      },
      afterTrillian,
    ),
);

// The publication: what clients trust, computed from the same records as the CT log's roots.
const published = pulumi
  .all([
    recordsOf(fulcioCas),
    recordsOf(ctLogs),
    recordsOf(rekors),
    recordsOf(tsas),
    one(rekors, plan.rekor.issues).record,
    one(tsas, plan.tsa.issues).record,
  ])
  .apply(([fulcioCa, ctLog, rekor, tsa, rekorInUse, tsaInUse]) =>
    documents({
      records: {
        fulcioCa: Object.values(fulcioCa),
        ctLog: Object.values(ctLog),
        rekor: Object.values(rekor),
        tsa: Object.values(tsa),
      },
      rekor: rekorInUse,
      tsa: tsaInUse,
      fulcioUrl: at.fulcio,
      issuers: config.issuers.map(({ issuer }) => issuer),
      operator: config.prefix,
    }),
  );
const publication = new TufPublication("tuf", {
  documents: published,
  rootKeys: one(tufRoots, plan.tufRoot.issues),
  onlineKeys: one(tufOnlines, plan.tufOnline.issues),
  life: config.tufLife,
  known: remembered.tuf,
  now,
});
const tufNamespace = namespace(`${config.prefix}-tuf`, config.labels);
const mirrorServer = new TufServer(
  "tuf-mirror",
  {
    namespace: tufNamespace.metadata.name,
    image: imageReference(context.images.nginx),
    files: publication.files,
    revision: publication.state.revision,
    nodePort: ports.tuf,
  },
  { dependsOn: [ctLog, ...Object.values(rekorServers)] },
);

// The producers: nothing signs before what it signs with is accepted and published.
const producers = { dependsOn: [ctLog, mirrorServer] };
new Tsa(
  "tsa",
  {
    ...context,
    authority: one(tsas, plan.tsa.issues),
    nodePort: ports.tsa,
    replicas: config.replicas.tsa,
  },
  producers,
);
new Fulcio(
  "fulcio",
  {
    ...context,
    ca: one(fulcioCas, plan.fulcioCa.issues),
    ctLogUrl: `${ctLog.internalUrl}/${ctLogPrefix(plan.ctLog.issues)}`,
    issuers: config.issuers,
    nodePort: ports.fulcio,
    replicas: config.replicas.fulcio,
  },
  producers,
);
const account = new Probe("probe", { namespace: tufNamespace.metadata.name }).serviceAccount;

// What clients, the command line and the next update need: `StackOutputs` says it in types.
export const mirror = {
  url: at.tuf,
  rootUrl: `${at.tuf}/1.root.json`,
  rootSha256: publication.initialRoot.apply(sha256),
};
export const services = {
  fulcio: at.fulcio,
  rekor: at.rekor(plan.rekor.issues),
  ctLog: at.ctLog(plan.ctLog.issues),
  tsa: at.tsa,
};
export const issuers = config.issuers;
export const probe = {
  namespace: tufNamespace.metadata.name,
  serviceAccount: account,
  audience: "sigstore",
};
export const revision = publication.state.revision;
export const records = {
  fulcioCa: recordsOf(fulcioCas),
  ctLog: recordsOf(ctLogs),
  rekor: recordsOf(rekors),
  tsa: recordsOf(tsas),
  tufRoot: recordsOf(tufRoots),
  tufOnline: recordsOf(tufOnlines),
};
export const tuf = publication.state;
export const initialRoot = publication.initialRoot;
