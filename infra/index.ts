// A private Sigstore, read from top to bottom: configuration and records → decide → trust → logs →
// publication → producers → outputs. Nothing is registered before `decide` has agreed.
import "./quiet.ts";
import * as pulumi from "@pulumi/pulumi";
import { loadConfig } from "./config.ts";
import { reencrypts } from "./config/exposure.ts";
import { signInIssuer } from "./config/issuers.ts";
import { probeEvery, probeIssuer } from "./config/probe.ts";
import { loadSecrets } from "./config/secrets.ts";
import { producersExpectation, serviceNames, switchedExpectation } from "./expectations.ts";
import { look } from "./preflight/look.ts";
import { trustAlso } from "./observe/network.ts";
import { lookAtDatabase } from "./preflight/lookAtDatabase.ts";
import { lookAtIssuers } from "./preflight/lookAtIssuers.ts";
import { useOwnProxy } from "./preflight/proxy.ts";
import { lookAtTimeServers } from "./preflight/timeServers.ts";
import { addresses, ctLogPrefix, rekorHostname, serviceExposures } from "./platform/exposure.ts";
import { Entrance } from "./platform/entrance/entrance.ts";
import { guardsOf } from "./platform/guard.ts";
import { namespace } from "./platform/namespace.ts";
import { assertSameAddresses } from "./platform/recordedAddresses.ts";
import { protectEverything, takeFieldsBack } from "./protect.ts";
import { assertQuota } from "./platform/quota.ts";
import { Monitoring } from "./platform/monitoring/monitoring.ts";
import { Probe } from "./platform/probe.ts";
import { Prober } from "./platform/prober/prober.ts";
import { TufMirror } from "./platform/tuf/mirror.ts";
import { chartVersion } from "./scaffold/chart.ts";
import { imageReference, selectImages } from "./scaffold/images.ts";
import { tufNamespace } from "./scaffold/names.ts";
import { CtLog } from "./services/ctLog.ts";
import { Fulcio } from "./services/fulcio.ts";
import type { ReleaseContext } from "./services/release.ts";
import { Rekor } from "./services/rekor.ts";
import { Trillian } from "./services/trillian.ts";
import { Tsa } from "./services/tsa.ts";
import type { Records } from "./outputs.ts";
import { decide, isRemembered } from "./trust/decide.ts";
import { documents } from "./trust/documents.ts";
import { each, one, recordsOf, some } from "./trust/each.ts";
import { FulcioCa } from "./trust/fulcioCa.ts";
import { Gate } from "./trust/gate.ts";
import { Endings, lifeOutputs, Published, Switches } from "./trust/history.ts";
import { rememberedRecords } from "./trust/memory.ts";
import { recall } from "./trust/recall.ts";
import { frozen } from "./trust/record.ts";
import { story } from "./trust/story.ts";
import { TimestampAuthority } from "./trust/timestampAuthority.ts";
import { TransparencyLog } from "./trust/transparencyLog.ts";
import { trusted } from "./trust/trusted.ts";
import { TufOnlineKeys, TufRootKeys } from "./trust/tuf/keys.ts";
import { TufPublication } from "./trust/tuf/publication.ts";
import { sha256 } from "./trust/tuf/metadata.ts";

protectEverything();
takeFieldsBack();

// What shall be, what was, what is there, and whether the step between is allowed.
const now = new Date();
const config = loadConfig();
const secrets = loadSecrets(config);
trustAlso(config.caBundle);
useOwnProxy();
chartVersion(config.chart); // refuses here, before a Release would, when others are made already
assertQuota(config);
const { prefix } = config;
const images = selectImages(config.images, config.mirror);
const isTlsToPods = reencrypts(config.exposure);
const context: ReleaseContext = {
  chart: config.chart,
  prefix,
  guard: guardsOf(config),
  images,
  pullSecrets: config.pullSecrets,
  sizes: config.resources,
  // OpenShift gives each namespace ids of its own.
  runAs: config.runAsUser ?? (config.platform === "openshift" ? "assigned" : undefined),
  wayOut: { caBundle: config.caBundle, proxy: config.proxy },
  tlsProxy: isTlsToPods
    ? { image: imageReference(images.nginx), resources: config.resources.tlsProxy }
    : undefined,
};
const { instance, memory, hasMade } = await recall();
const plan = decide({ trust: config.trust, memory, now, leadTime: config.leadTime * 1000 });
const at = addresses(config.exposure);
assertSameAddresses(memory, plan, at, (n) => rekorHostname(config.exposure, n));
const cluster = await look(memory, config, now);
await lookAtIssuers(config.issuers);
const whereabouts = {
  uid: cluster.uid,
  ...(await lookAtDatabase(memory, config.database, secrets)),
};
await lookAtTimeServers(config.ntp);
for (const line of story(plan, memory)) await pulumi.log.info(line);
frozen("cluster", whereabouts, {});
const exposures = serviceExposures(config.exposure);
const known = memory.kinds;
const history = { plan, memory };
const endings = new Endings("endings", history);

// The logs' backend, which trees are made in.
const trillian = new Trillian("trillian", {
  ...context,
  database: config.database,
  databasePassword: secrets.databasePassword,
  treeAccess: config.treeAccess,
  context: cluster.context,
  replicas: config.replicas.trillianLogServer,
});

// Trust: one component a generation, each made once.
const log = (kind: "ctLog" | "rekor", generation: number, baseUrl: string, origin: string) => ({
  generation,
  baseUrl,
  origin,
  instance,
  access: trillian.access,
  known: known[kind].records[generation],
  keyless: plan[kind].keyless.includes(generation),
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
      known: known.fulcioCa.records[n],
      keyless: plan.fulcioCa.keyless.includes(n),
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
      known: known.tsa.records[n],
      now,
    }),
);
const ctLogs = each(
  plan.ctLog,
  (n) =>
    new TransparencyLog(`ctlog-${n}`, log("ctLog", n, at.ctLog(n), ctLogPrefix(n)), afterTrillian),
);
const rekors = each(
  plan.rekor,
  (n) =>
    new TransparencyLog(
      `rekor-${n}`,
      log("rekor", n, at.rekor(n), rekorHostname(config.exposure, n)),
      afterTrillian,
    ),
);
const tufRoots = each(
  plan.tufRoot,
  (n) => new TufRootKeys(`tuf-root-${n}`, { generation: n, known: known.tufRoot.records[n], now }),
);
const tufOnlines = each(
  plan.tufOnline,
  (n) =>
    new TufOnlineKeys(`tuf-online-${n}`, { generation: n, known: known.tufOnline.records[n], now }),
);

// The logs: serving is not yet using.
const servedLogs = some(ctLogs, [...plan.ctLog.accepts, ...plan.ctLog.readOnly]);
const ctLog = new CtLog(
  "ctlog",
  {
    ...context,
    logs: servedLogs,
    readOnly: plan.ctLog.readOnly,
    accepts: some(fulcioCas, plan.fulcioCa.accepts),
    backend: trillian.backend,
    exposure: exposures.ctLog,
    replicas: config.replicas.ctLog,
  },
  { dependsOn: [trillian, endings] },
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
        hostname: rekorHostname(config.exposure, n),
        backend: trillian.backend,
        exposure: exposures.rekor(n),
        replicas: config.replicas.rekor,
        searchIndex: config.searchIndex,
        attestations: config.attestations,
      },
      afterTrillian,
    ),
);

// The publication: what clients trust, computed from the same records as the CT log's roots.
const describe = (facts: Pick<Records, "fulcioCa" | "ctLog" | "rekor" | "tsa">) =>
  documents({
    records: trusted(facts, plan),
    rekor: one(facts.rekor, plan.rekor.issues),
    tsa: one(facts.tsa, plan.tsa.issues),
    fulcioUrl: at.fulcio,
    signIn: signInIssuer(config.issuers),
    operator: prefix,
  });
const records = {
  fulcioCa: recordsOf(fulcioCas),
  ctLog: recordsOf(ctLogs),
  rekor: recordsOf(rekors),
  tsa: recordsOf(tsas),
  tufRoot: recordsOf(tufRoots),
  tufOnline: recordsOf(tufOnlines),
};
const publication = new TufPublication(
  "tuf",
  {
    documents: pulumi
      .all([records.fulcioCa, records.ctLog, records.rekor, records.tsa])
      .apply(([fulcioCa, ctLog, rekor, tsa]) => describe({ fulcioCa, ctLog, rekor, tsa })),
    knownDocuments: isRemembered(plan, memory) ? describe(rememberedRecords(memory)) : undefined,
    rootKeys: one(tufRoots, plan.tufRoot.issues),
    onlineKeys: one(tufOnlines, plan.tufOnline.issues),
    life: config.tufLife,
    publications: memory.publications,
    now,
  },
  { dependsOn: [endings] },
);
const tufSpace = tufNamespace(prefix);
const tufHome = namespace(tufSpace, context.guard(tufSpace));
const tufSpaceName = tufHome.namespace.metadata.name;
const mirrorServer = new TufMirror(
  "tuf-mirror",
  {
    namespace: tufHome.namespace,
    images: { nginx: imageReference(images.nginx), node: imageReference(images.node) },
    pullSecrets: config.pullSecrets,
    resources: context.sizes.tuf,
    runAs: context.runAs,
    publication,
    timestampKey: one(tufOnlines, plan.tufOnline.issues).timestamp.privateKeyPem,
    timestamp: config.timestamp,
    exposure: exposures.tuf,
    service: serviceNames(prefix).tuf,
    tls: isTlsToPods ? { isAsked: hasMade("tuf-mirror-tls-service") } : undefined,
    context: cluster.context,
  },
  { dependsOn: [tufHome.guard, ctLog, ...Object.values(rekorServers)] },
);

// Nothing signs before every replica accepts, and the mirror lists, what it signs with.
const uses = { issuesWithCa: plan.fulcioCa.issues, writesToCtLog: plan.ctLog.issues };
const ctLogUrl = `${ctLog.internalUrl}/${ctLogPrefix(plan.ctLog.issues)}`;
const scene = { prefix, context: cluster.context, plan, ctLogUrl, fulcioCas, ctLogs, rekors };
const trustedGate = new Gate(
  "trusted-gate",
  { expected: producersExpectation(scene, publication) },
  { dependsOn: [ctLog, mirrorServer, ...Object.values(rekorServers)] },
);
const published = new Published("published", { ...history, seen: trustedGate.seen });

// The producers wait for the gate itself too: where all was published before, as after a restore,
// nothing that is written down waits for it.
const producers = { dependsOn: [trustedGate, published] };
const tsa = new Tsa(
  "tsa",
  {
    ...context,
    authority: one(tsas, plan.tsa.issues),
    exposure: exposures.tsa,
    replicas: config.replicas.tsa,
    ntp: config.ntp,
  },
  producers,
);
const fulcio = new Fulcio(
  "fulcio",
  {
    ...context,
    uses,
    ca: one(fulcioCas, plan.fulcioCa.issues),
    ctLogUrl,
    issuers: config.issuers,
    exposure: exposures.fulcio,
    replicas: config.replicas.fulcio,
  },
  producers,
);
const switchedGate = new Gate(
  "switched-gate",
  { expected: switchedExpectation(scene) },
  { dependsOn: [fulcio] },
);
const switched = new Switches("switches", { ...history, seen: switchedGate.seen });
if (config.exposure.type !== "nodePort")
  new Entrance(
    "entrance",
    {
      exposure: config.exposure,
      prefix,
      rekorGenerations: plan.rekor.exists,
      certificate: cluster.certificate,
    },
    { dependsOn: [ctLog, ...Object.values(rekorServers), mirrorServer, tsa, fulcio] },
  );

// Who watches: it comes after all that it asks, and before something that is protected.
const every = probeEvery(config);
const watch: pulumi.Resource[] = [];
if (every !== undefined) {
  const prober = new Prober(
    "prober",
    {
      ...{ prefix, every, namespace: tufSpaceName },
      image: imageReference(context.images.node),
      pullSecrets: config.pullSecrets,
      runAs: context.runAs,
      audience: probeIssuer(config)?.clientId ?? "",
      timestampLife: config.timestamp.life,
      search: config.searchIndex !== "none",
      rekorGeneration: plan.rekor.issues,
      initialRoot: publication.initialRoot,
      ctLogs: Object.values(servedLogs).map(({ record }) => record),
      rekors: Object.values(rekors).map(({ record }) => record),
    },
    { dependsOn: [tufHome.guard, mirrorServer, ...Object.values(rekorServers), tsa, fulcio] },
  );
  watch.push(prober);
  if (cluster.hasMonitoring)
    watch.push(
      new Monitoring(
        "monitoring",
        { stack: prefix, namespace: tufSpaceName },
        { dependsOn: [prober] },
      ),
    );
}
const account = new Probe("probe", { namespace: tufSpaceName }, { dependsOn: watch })
  .serviceAccount;

// What clients, the command line and the next update need: `StackOutputs` says it in types.
export const mirror = {
  url: at.tuf,
  rootUrl: `${at.tuf}/1.root.json`,
  rootSha256: publication.initialRoot.apply(sha256),
  // An output that is undefined is a warning in every preview.
  ...(config.caBundle === undefined ? {} : { caBundle: config.caBundle }),
};
export const services = {
  fulcio: at.fulcio,
  rekor: at.rekor(plan.rekor.issues),
  ctLog: at.ctLog(plan.ctLog.issues),
  tsa: at.tsa,
};
export const issuers = config.issuers;
export const probe = {
  namespace: tufSpaceName,
  serviceAccount: account,
  audience: "sigstore",
};
export const revision = publication.current.revision;
export { prefix, records };
export const clusterUid = cluster.uid;
export const life = lifeOutputs(config.trust, plan, published.times, switched.all);
export const leadTimeSeconds = config.leadTime;
export const tuf = publication.current.apply(({ version, revision: hash, expires }) => ({
  version,
  revision: hash,
  expires,
  timestampLifeSeconds: config.timestamp.life,
}));
export const initialRoot = publication.initialRoot;
