import { createHash } from "node:crypto";
import { refOf } from "../../../local/pulumi/kubernetes/cluster.ts";
import type { MemoryCluster } from "../../../local/pulumi/kubernetes/memoryCluster.ts";
import {
  listAt,
  numberAt,
  objectAt,
  textAt,
  type Props,
  type Value,
} from "../../../local/pulumi/values.ts";

/** A label selector's equalities: every label must be there with this value. */
export type Labels = Readonly<Record<string, string>>;

/** The objects that have all of these labels. */
export function labelled(objects: readonly Props[], labels: Labels): Props[] {
  return objects.filter((object) => {
    const own = objectAt(object, "metadata", "labels");
    return Object.entries(labels).every(([key, value]) => own[key] === value);
  });
}

export function isReady(pod: Props): boolean {
  return listAt(pod, "status", "conditions").some(
    ({ type, status }) => type === "Ready" && status === "True",
  );
}

/**
 * The pods of the cluster: those that lie in it, and those that its Deployments and StatefulSets
 * would have, as many as they want. A changed template is a pod of another name, as after a roll;
 * old pods are gone at once. So many are Ready as the workload's status says.
 */
export function podsOf(cluster: MemoryCluster): Props[] {
  return cluster.all().flatMap((object) => {
    const { apiVersion, kind } = refOf(object);
    if (apiVersion === "v1" && kind === "Pod") return [object];
    return apiVersion === "apps/v1" && /^(Deployment|StatefulSet)$/.test(kind)
      ? replicas(object)
      : [];
  });
}

/** The pods behind a Service; none for one without a selector. */
export function podsBehind(cluster: MemoryCluster, service: Props): Props[] {
  const selector = objectAt(service, "spec", "selector") as Labels;
  const { namespace } = refOf(service);
  const local = podsOf(cluster).filter((pod) => refOf(pod).namespace === namespace);
  return Object.keys(selector).length === 0 ? [] : labelled(local, selector);
}

/** The number of a pod's port, given as a number or by its name in a container. */
export function portNumber(pod: Props, target: Value | undefined): number {
  const named = listAt(pod, "spec", "containers")
    .flatMap((container) => listAt(container, "ports"))
    .find(({ name }) => name !== undefined && name === target);
  return Number(named?.["containerPort"] ?? target);
}

function replicas(workload: Props): Props[] {
  const wanted = objectAt(workload, "spec")["replicas"];
  const count = typeof wanted === "number" ? wanted : 1;
  const ready = numberAt(workload, "status", "readyReplicas");
  return Array.from({ length: count }, (_, index) => replica(workload, index, index < ready));
}

/** One pod, the same at each call for the same workload. */
function replica(workload: Props, index: number, ready: boolean): Props {
  const { namespace, name, kind } = refOf(workload);
  const template = objectAt(workload, "spec", "template");
  const hash = hex(`${namespace}/${name} ${JSON.stringify(template)}`).slice(0, 10);
  const uid = hex(`${textAt(workload, "metadata", "uid")} ${hash} ${index}`);
  const [a, b, c] = Buffer.from(uid, "hex");
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...objectAt(template, "metadata"),
      name: kind === "StatefulSet" ? `${name}-${index}` : `${name}-${hash}-${uid.slice(0, 5)}`,
      namespace,
      uid: uid.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, "$1-$2-$3-$4-$5"),
    },
    spec: objectAt(template, "spec"),
    status: {
      phase: ready ? "Running" : "Pending",
      podIP: `10.${a}.${b}.${c}`,
      conditions: [{ type: "Ready", status: ready ? "True" : "False" }],
    },
  };
}

function hex(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
