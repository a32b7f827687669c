import * as pulumi from "@pulumi/pulumi";
import * as z from "zod";
import { caBundleSchema } from "./config/caBundle.ts";
import { databaseSchema } from "./config/database.ts";
import { elsewhereProblems } from "./config/elsewhere.ts";
import { hostAndPort } from "./config/endpoint.ts";
import { exposureProblems, exposureSchema, platformSchema } from "./config/exposure.ts";
import { duration, objectName } from "./config/fields.ts";
import { issuersProblems, issuersSchema } from "./config/issuers.ts";
import { networkPoliciesSchema } from "./config/networkPolicies.ts";
import { ntpSchema } from "./config/ntp.ts";
import { proxySchema } from "./config/proxy.ts";
import { monitoringSchema, probeProblems, probeSchema } from "./config/probe.ts";
import { quotaSchema } from "./config/quota.ts";
import { attestationsSchema, rekorDataProblems, searchIndexSchema } from "./config/rekorData.ts";
import { isSecretName } from "./config/secrets.ts";
import { reportAll } from "./errors.ts";
import { labelProblems } from "./platform/podSecurity.ts";
import { imageProblems } from "./scaffold/images.ts";
import { isMirror, mirrorRule } from "./scaffold/mirror.ts";
import { sizeProblems, sizesSchema } from "./scaffold/sizes.ts";
import { trustSchema } from "./trust/generations.ts";

const dnsLabel = z
  .string()
  .regex(/^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/, "must be a DNS label of at most 40 characters");

const days = z.number().positive().max(36500);

/** Five fields of cron (minute, hour, day, month, weekday), as a Kubernetes CronJob takes them. */
const cron = z
  .string()
  .regex(/^(\S+ ){4}\S+$/, "must be a cron schedule of five fields, such as 17 3 * * *");

const subject = z.strictObject({
  organization: z.string().min(1).max(64),
  commonName: z.string().min(1).max(64),
});

/** registry/repository:tag, registry/repository@sha256:…, or both tag and digest. */
const imageReference = z
  .string()
  .regex(
    /^[a-z0-9.-]+(:\d+)?(\/[a-z0-9._-]+)+(:[\w][\w.-]{0,127})?(@sha256:[a-f0-9]{64})?$/,
    "must be an image reference with its registry, such as ghcr.io/sigstore/fulcio@sha256:…",
  );

const secretName = z
  .string()
  .max(253)
  .regex(objectName, "must be the name of a Secret, such as registry-login");

const replicas = z.int().min(1).max(9).default(2);

const schema = z.strictObject({
  /** Begins every namespace, so that two stacks can share a cluster. */
  prefix: dnsLabel,
  /** The names in the certificates of the next generation; recorded ones keep theirs. */
  subjects: z.strictObject({ fulcioCa: subject, tsa: subject }),
  /** The pinned scaffold chart: from a Helm repository (http, https or oci), or from a folder. */
  chart: z.union([
    z.strictObject({ repository: z.url(), version: z.string() }),
    z.strictObject({ path: z.string().min(1) }),
  ]),
  /** Images in place of the published ones, each by digest or, under localhost/, by content hash. */
  images: z.record(z.string(), imageReference).default({}),
  /** Where every image without an entry in `images` is taken from: see docs/images.md. */
  mirror: z.string().refine(isMirror, mirrorRule).optional(),
  /**
   * Secrets of type kubernetes.io/dockerconfigjson that images are pulled with. Whoever names them
   * here puts them into each of the stack's namespaces: docs/images.md.
   */
  pullSecrets: z.array(secretName).default([]),
  platform: platformSchema,
  /** How clients reach the services: see docs/exposure.md. */
  exposure: exposureSchema,
  /** Who may sign: the token issuers that Fulcio accepts. See docs/issuers.md. */
  issuers: issuersSchema,
  /** A corporate network, docs/corporate-network.md: its CAs, its proxy, its time servers. */
  caBundle: caBundleSchema.optional(),
  proxy: proxySchema.optional(),
  ntp: ntpSchema.optional(),
  /** The generations of everything that makes trust, and the state of each: see docs/design.md. */
  trust: trustSchema,
  /**
   * Between a generation being seen published on every replica and its first use, and between its
   * last use and its closing: the time in which every client must have asked TUF once.
   */
  leadTime: duration,
  /** Life of the TUF metadata that the program signs, from its signing, in days. */
  tufLife: z.strictObject({ root: days, targets: days, snapshot: days }),
  /** The one TUF role that is signed inside the cluster, so that no pipeline has to run. */
  timestamp: z.strictObject({ life: duration, schedule: cron }),
  /** Where Trillian's MySQL keeps the logs: see docs/databases.md. */
  database: databaseSchema,
  searchIndex: searchIndexSchema,
  attestations: attestationsSchema,
  /**
   * Pods of each server that clients or other servers call; `rekor` of every generation. Two if left
   * out, so that one serves while the other's node is drained or lost. Database, log signer and
   * search index are one pod each.
   */
  replicas: z
    .strictObject({
      ctLog: replicas,
      rekor: replicas,
      tsa: replicas,
      fulcio: replicas,
      trillianLogServer: replicas,
    })
    .prefault({}),
  /** Requests and limits of each server's container; what is left out keeps its default. */
  resources: sizesSchema,
  /**
   * The user id of every process, with group 0, or `assigned` where the cluster gives one to each
   * namespace (OpenShift). The images' own ids if left out.
   */
  runAsUser: z
    .string()
    .regex(/^([1-9]\d{0,9}|assigned)$/, 'must be a user id above 0, or "assigned"')
    .transform((text) => (text === "assigned" ? text : Number(text)))
    .optional(),
  /** What each namespace may use at most: a ResourceQuota and a LimitRange. None if left out. */
  quota: quotaSchema.optional(),
  /** What signs and verifies inside the cluster all the time: see docs/alerts.md. */
  probe: probeSchema,
  /** Whether Prometheus and Grafana are told of it. */
  monitoring: monitoringSchema,
  /** Where clients, DNS, the cluster's API and token issuers are, for the network policies. */
  networkPolicies: networkPoliciesSchema,
  /** Labels on every namespace; those of Pod Security are the program's. */
  labels: z.record(z.string(), z.string()).default({}),
  /** How the program reaches Trillian's admin interface to make the trees. */
  treeAccess: z
    .union([
      z.strictObject({ type: z.literal("portForward") }),
      z.strictObject({ type: z.literal("given"), address: hostAndPort }),
    ])
    .default({ type: "portForward" }),
});

/** The checked configuration of a stack; defaults are filled in. */
export type Config = z.infer<typeof schema>;

/** Top-level values arrive as text: objects and arrays as JSON, all else as it was written. */
function parseValue(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** `ports.rekor.1` for the path that zod gives; the stack file nests the same names. */
function placeOf(issue: z.core.$ZodIssue): string {
  const path = issue.path.map(String).join(".");
  return path === "" ? "anchorhold" : `anchorhold:${path}`;
}

function ruleOf(issue: z.core.$ZodIssue): string {
  if (issue.code !== "unrecognized_keys") return issue.message;
  return `unknown ${issue.keys.length === 1 ? "key" : "keys"} ${issue.keys.join(", ")}`;
}

/** Rules that tie several values together. */
function crossChecks(config: Config): string[] {
  return [
    ...imageProblems(config.images).map((problem) => `anchorhold:images.${problem}`),
    ...sizeProblems(config.resources).map((problem) => `anchorhold:resources.${problem}`),
    ...labelProblems(config.labels).map((problem) => `anchorhold:labels: ${problem}`),
    ...exposureProblems(config.exposure, {
      platform: config.platform,
      rekorGenerations: Object.keys(config.trust.rekor),
    }),
    ...issuersProblems(config.issuers),
    ...rekorDataProblems(config.attestations, config.replicas.rekor),
    ...probeProblems(config),
  ];
}

/**
 * Checks a stack's values, given by their names without the project's. Secrets are no part of it:
 * `loadSecrets` reads them.
 * @param stack the stack that it is deployed as; left out where the file is only read
 * @throws UserError that lists every problem with its place in the stack file.
 */
export function parseConfig(
  values: Readonly<Record<string, string>>,
  stackFile: string,
  stack?: string,
): Config {
  const parsed = schema.safeParse(
    Object.fromEntries(
      Object.entries(values)
        .filter(([key]) => !isSecretName(key))
        .map(([key, text]) => [key, parseValue(text)]),
    ),
  );
  const problems = parsed.success
    ? [
        ...crossChecks(parsed.data),
        ...(stack === undefined ? [] : elsewhereProblems(parsed.data, stack)),
      ]
    : parsed.error.issues.map((issue) => `${placeOf(issue)}: ${ruleOf(issue)}`);
  if (!parsed.success || problems.length > 0)
    throw reportAll(
      `${stackFile} has ${problems.length} problem${problems.length === 1 ? "" : "s"}; ` +
        "mend them there and run the same command again:",
      problems,
    );
  return parsed.data;
}

/** The configuration of the stack that is being deployed. */
export function loadConfig(): Config {
  const project = `${pulumi.getProject()}:`;
  const values = Object.entries(pulumi.runtime.allConfig())
    .filter(([key]) => key.startsWith(project))
    .map(([key, text]): [string, string] => [key.slice(project.length), text]);
  const stack = pulumi.getStack();
  return parseConfig(Object.fromEntries(values), `Pulumi.${stack}.yaml`, stack);
}
