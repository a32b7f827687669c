import * as z from "zod";
import { components } from "../scaffold/names.ts";
import { cidr } from "./fields.ts";

const labels = z.strictObject({ namespaceLabels: z.record(z.string(), z.string()) });
const callers = z
  .array(z.union([cidr, labels]))
  .min(1)
  .optional();
const port = z.int().min(1).max(65535);
const namespace = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);

const everywhere = ["0.0.0.0/0", "::/0"];
const servers = z.strictObject({ cidrs: z.array(cidr).min(1).default(everywhere) }).prefault({});

/**
 * `anchorhold:networkPolicies`: where the stack's surroundings are. Policies see a connection's ends
 * after Kubernetes has put pods in place of Services, so ports are those of pods.
 */
export const networkPoliciesSchema = z
  .strictObject({
    /** Address ranges and namespaces (an ingress controller's) that clients call from; all if left out. */
    clientsFrom: callers,
    /** The same for Prometheus, which reads the probe's metrics. */
    metricsFrom: callers,
    /** Namespaces or address ranges of the cluster's DNS, and the ports of its pods. */
    dns: z
      .strictObject({
        namespaces: z.array(namespace).default(["kube-system", "openshift-dns"]),
        cidrs: z.array(cidr).default([]),
        ports: z.array(port).min(1).default([53, 5353]),
      })
      .prefault({}),
    /** Servers of the cluster's API, behind the Service `kubernetes`. */
    apiServer: z
      .strictObject({
        cidrs: z.array(cidr).min(1).default(everywhere),
        ports: z.array(port).min(1).default([443, 6443]),
      })
      .prefault({}),
    /** Token issuers, on the ports of their URLs. */
    issuers: servers,
    /** An external database and Redis, on their ports, and a bucket for attestations, by HTTPS. */
    database: servers,
    searchIndex: servers,
    attestations: servers,
    /** The proxy of `anchorhold:proxy` and the time servers of `anchorhold:ntp`, on their ports. */
    proxy: servers,
    ntp: servers,
    /** Further connections that pods of a component may open. */
    egress: z
      .array(z.strictObject({ from: z.enum(components), to: cidr, port, why: z.string().min(1) }))
      .default([]),
  })
  .prefault({});

export type NetworkSurroundings = z.infer<typeof networkPoliciesSchema>;
