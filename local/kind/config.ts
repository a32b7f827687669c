import * as YAML from "yaml";

export const kindVersion = "v0.30.0";

/** The node image that kind 0.30.0 was released with (its `pkg/apis/config/defaults`). */
export const nodeImage =
  "kindest/node:v1.34.0@sha256:7416a61b42b1662ca6ca89f02028ac133a309a2a30ba309614e8ec94d976dc5a";

export const clusterName = "anchorhold";

/** The container that is the cluster's one node. */
export const nodeContainer = `${clusterName}-control-plane`;

/** Who signs the cluster's own tokens, as stacks/Pulumi.local.yaml expects it. */
const issuer = "https://kubernetes.default.svc";

/**
 * kubeadm's own issuer ends in the cluster's domain, which Fulcio would not know. A merge patch in
 * kind's sense: kubeadm.k8s.io/v1beta3, which kind uses up to Kubernetes 1.35, has arguments as a map.
 */
const issuerPatch = {
  kind: "ClusterConfiguration",
  apiServer: {
    extraArgs: {
      "service-account-issuer": issuer,
      "service-account-jwks-uri": `${issuer}/openid/v1/jwks`,
    },
  },
};

/** `anchorhold:exposure.ports` of a stack on node ports. */
export interface NodePorts {
  [service: string]: number | NodePorts;
}

/** Every port in it. */
export function portsOf(ports: NodePorts): number[] {
  return Object.values(ports).flatMap((one) => (typeof one === "number" ? one : portsOf(one)));
}

/**
 * kind's configuration (kind.x-k8s.io/v1alpha4) of a cluster in which clients on this machine, and
 * only those, reach the node ports at localhost.
 */
export function kindConfig(ports: NodePorts): string {
  const config = {
    kind: "Cluster",
    apiVersion: "kind.x-k8s.io/v1alpha4",
    name: clusterName,
    nodes: [
      {
        role: "control-plane",
        image: nodeImage,
        extraPortMappings: portsOf(ports).map((port) => ({
          containerPort: port,
          hostPort: port,
          listenAddress: "127.0.0.1",
          protocol: "TCP",
        })),
        kubeadmConfigPatches: [YAML.stringify(issuerPatch)],
      },
    ],
  };
  return YAML.stringify(config, { blockQuote: "literal" });
}
