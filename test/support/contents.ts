import { canonicalize } from "@tufjs/canonical-json";
import type { KubeObject } from "../../cli/doctor/kubernetes.ts";

/** What a cluster gives an object anew each time it is made. */
const ofTheServer = new Set([
  ...["uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "status"],
  ...["clusterIP", "clusterIPs", "deployment.kubernetes.io/revision", "controller-uid"],
  ...["batch.kubernetes.io/controller-uid", "anchorhold.dev/state"],
]);

/**
 * What stack objects say, by kind, namespace and name: equal for two clusters in which everything
 * is the same but for what a server chooses. A name of Pulumi's making, and the label of a serving
 * state, which is a hash over such a name, count as the same.
 */
export function contents(objects: readonly KubeObject[]): Record<string, string> {
  const chosen = objects
    .filter(({ metadata }) => metadata.annotations?.["pulumi.com/autonamed"] === "true")
    .map(({ metadata: { name } }): [string, string] => [name, name.replace(/-[0-9a-z]+$/, "-*")]);
  const named = (text: string) =>
    chosen
      .reduce((all, [name, stem]) => all.replaceAll(name, stem), text)
      .replace(/\b(\d+)-[0-9a-f]{12}\b/g, "$1-*");
  return Object.fromEntries(
    objects
      .map((object): [string, string] => {
        const { kind, metadata } = object;
        const title = `${kind} ${metadata.namespace ?? ""}/${metadata.name}`;
        return [named(title), named(canonicalize(lasting(object)))];
      })
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

function lasting(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lasting);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, inner]) => !ofTheServer.has(key) && inner !== null && inner !== undefined)
      .map(([key, inner]) => [key, lasting(inner)]),
  );
}
