import * as z from "zod";
import { generationNumber, hostName, objectName } from "./fields.ts";

/** What the cluster is: OpenShift has Routes, and gives each namespace user ids of its own. */
export const platforms = ["kubernetes", "openshift"] as const;
export const platformSchema = z
  .enum(platforms, { error: `must be one of ${platforms.join(", ")}` })
  .default("kubernetes");

/** One value for each service that clients call; a Rekor generation is a service of its own. */
function perService<T extends z.ZodType>(value: T) {
  return z.strictObject({
    tuf: value,
    fulcio: value,
    tsa: value,
    ctLog: value,
    rekor: z.record(generationNumber, value, {
      error: (issue) =>
        issue.code === "invalid_key"
          ? 'must have generation numbers as keys: "1", "2", …'
          : undefined,
    }),
  });
}

/** Ingress and Route take no addresses. */
const dnsName = hostName.refine(
  (name) => !/^[\d.]+$/.test(name),
  "must be a host name such as rekor.example.com, not an address",
);

const objectNamed = (what: string) =>
  z.string().max(253).regex(objectName, `must be the name of ${what}`);

/** A Secret of type kubernetes.io/tls that exists already, in a namespace of its owner's. */
const tlsSecret = z
  .string()
  .regex(
    /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\/[a-z0-9][-.a-z0-9]{0,251}[a-z0-9]$/,
    "must be NAMESPACE/NAME of a Secret, such as certificates/sigstore-tls",
  );

/** Who makes the certificates, by annotation: one for all namespaces, or one in each of them. */
const certManager = z
  .strictObject({
    clusterIssuer: objectNamed("a ClusterIssuer").optional(),
    issuer: objectNamed("an Issuer").optional(),
  })
  .refine(
    ({ clusterIssuer, issuer }) => (clusterIssuer === undefined) !== (issuer === undefined),
    "must name either a clusterIssuer or an issuer",
  );

const ingressTls = z
  .strictObject(
    { secret: tlsSecret.optional(), certManager: certManager.optional() },
    {
      error: (issue) =>
        issue.input === undefined
          ? "is missing: clients send tokens here, so there is no Ingress without TLS; name a secret " +
            "(NAMESPACE/NAME) or certManager"
          : undefined,
    },
  )
  .refine(
    ({ secret, certManager: issuer }) => (secret === undefined) !== (issuer === undefined),
    "must name either a secret or certManager",
  );

const annotations = z.record(z.string(), z.string());
const nodePort = z.int().min(1024).max(65535);

const nodePorts = z.strictObject({
  type: z.literal("nodePort"),
  host: hostName,
  ports: perService(nodePort),
});

const ingress = z.strictObject({
  type: z.literal("ingress"),
  hosts: perService(dnsName),
  /** The cluster's default class if left out. */
  className: objectNamed("an IngressClass").optional(),
  /** On every Ingress. */
  annotations: annotations.default({}),
  /**
   * What makes the controller speak gRPC to Fulcio, on an Ingress of its own for Fulcio's gRPC
   * methods. Known for className nginx; without them there is no such Ingress.
   */
  grpcAnnotations: annotations.optional(),
  tls: ingressTls,
});

const route = z.strictObject({
  type: z.literal("route"),
  hosts: perService(dnsName),
  /**
   * What the router speaks to the pods: plain HTTP (edge), or TLS with certificates of the cluster's
   * service CA.
   */
  termination: z
    .enum(["edge", "reencrypt"], { error: "must be one of edge, reencrypt" })
    .default("edge"),
  /** On every Route. */
  annotations: annotations.default({}),
  /** The router's own certificate, for hosts below its domain, if left out. */
  tls: z.strictObject({ secret: tlsSecret }).optional(),
});

/**
 * How clients reach the services. Rekor signs its host name into every entry for ever: choose it
 * once. Each Rekor generation has a port or a host of its own.
 */
export const exposureSchema = z.discriminatedUnion("type", [nodePorts, ingress, route], {
  error: (issue) =>
    issue.code === "invalid_union" ? "must be one of nodePort, ingress, route" : undefined,
});

export type Exposure = z.infer<typeof exposureSchema>;
/** Host names and TLS in front of the cluster, by Ingress or by Route. */
export type HostExposure = Exclude<Exposure, { type: "nodePort" }>;

/** Whether clients' requests reach the pods by TLS. */
export function reencrypts(exposure: Exposure): boolean {
  return exposure.type === "route" && exposure.termination === "reencrypt";
}

interface Around {
  platform: (typeof platforms)[number];
  /** The generations of Rekor that the stack has. */
  rekorGenerations: readonly string[];
}

/** The rules of an exposure that tie several values together, each with its place. */
export function exposureProblems(exposure: Exposure, around: Around): string[] {
  const problems =
    exposure.type === "nodePort"
      ? serviceProblems("port", exposure.ports, around)
      : serviceProblems("host", exposure.hosts, around);
  if (exposure.type === "route" && around.platform !== "openshift")
    problems.push(
      "anchorhold:exposure.type: route needs anchorhold:platform openshift; other clusters have no " +
        "Routes: use ingress",
    );
  return problems;
}

/** Services share paths such as /api/v1, so no two can share a host or port. */
function serviceProblems(
  what: "port" | "host",
  { rekor, ...others }: Record<string, unknown> & { rekor: Record<string, string | number> },
  { rekorGenerations }: Around,
): string[] {
  const place = `anchorhold:exposure.${what}s`;
  const generations = Object.entries(rekor).map(([n, value]) => [`rekor.${n}`, value] as const);
  const taken = new Map<unknown, string>();
  const problems: string[] = [];
  for (const [service, value] of [...generations, ...Object.entries(others)]) {
    const other = taken.get(value);
    if (other !== undefined)
      problems.push(`${place}: ${other} and ${service} both have ${what} ${String(value)}`);
    taken.set(value, service);
  }
  for (const generation of rekorGenerations)
    if (!(generation in rekor))
      problems.push(`${place}.rekor: generation ${generation} of rekor has no ${what}`);
  return problems;
}
