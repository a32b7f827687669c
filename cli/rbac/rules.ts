import type { Exposure } from "../../infra/config/exposure.ts";

/** What one namespace of a stack lets its deploying identity do with a kind of object. */
export interface Rule {
  apiGroup: string;
  resources: readonly string[];
  verbs: readonly string[];
}

const read = ["get", "list", "watch"] as const;
/** Pulumi applies on the server (`patch`), Helm creates, patches and deletes. */
const manage = [...read, "create", "patch", "update", "delete"] as const;

/**
 * The rights of whoever runs `pulumi up` and `anchorhold` for a stack, in each of its namespaces. A
 * test deploys, rotates, repairs and backs up under them, and holds them against what the API server
 * has logged: what is missing fails there, and so does what nothing uses.
 */
export const namespaceRules: readonly Rule[] = [
  // Helm's records are Secrets too.
  { apiGroup: "", resources: ["secrets", "configmaps", "services"], verbs: manage },
  { apiGroup: "", resources: ["serviceaccounts", "persistentvolumeclaims"], verbs: manage },
  { apiGroup: "", resources: ["pods", "endpoints"], verbs: read },
  // Trees are made, and replicas observed, through the API; the database is dumped inside its pod.
  { apiGroup: "", resources: ["pods/portforward", "pods/exec"], verbs: ["create", "get"] },
  // `anchorhold verify` signs with a short-lived token of the probe.
  { apiGroup: "", resources: ["serviceaccounts/token"], verbs: ["create"] },
  { apiGroup: "apps", resources: ["deployments"], verbs: manage },
  { apiGroup: "apps", resources: ["replicasets"], verbs: read },
  { apiGroup: "batch", resources: ["cronjobs", "jobs"], verbs: manage },
  { apiGroup: "policy", resources: ["poddisruptionbudgets"], verbs: manage },
  { apiGroup: "networking.k8s.io", resources: ["networkpolicies"], verbs: manage },
  // The timestamp signer's: nobody can grant what he has not got himself.
  { apiGroup: "rbac.authorization.k8s.io", resources: ["roles", "rolebindings"], verbs: manage },
];

/** What is needed besides for host names in front of the services. */
export const entranceRules: Readonly<Record<Exposure["type"], readonly Rule[]>> = {
  nodePort: [],
  ingress: [{ apiGroup: "networking.k8s.io", resources: ["ingresses"], verbs: manage }],
  route: [
    { apiGroup: "route.openshift.io", resources: ["routes"], verbs: manage },
    // To choose a host, and to refer to a certificate: OpenShift asks for it by itself.
    {
      apiGroup: "route.openshift.io",
      resources: ["routes/custom-host"],
      verbs: ["create", "update"],
    },
  ],
};

/**
 * What the official plugin takes beside that, to say why something is not ready: no run with the
 * stand-in shows it (pulumi-kubernetes, provider/pkg/await: NewEventAggregator).
 */
export const pluginRules: readonly Rule[] = [{ apiGroup: "", resources: ["events"], verbs: read }];

/** What is needed beside that where the stack tells Prometheus of its probe. */
export const monitoringRule: Rule = {
  apiGroup: "monitoring.coreos.com",
  resources: ["servicemonitors", "prometheusrules"],
  verbs: manage,
};

/** What is needed beside that where the configuration names a quota. */
export const quotaRule: Rule = {
  apiGroup: "",
  resources: ["resourcequotas", "limitranges"],
  verbs: manage,
};

/** The namespaces themselves are an administrator's: he makes them, together with these rights. */
export const namespaceVerbs: readonly string[] = ["get", "patch"];
