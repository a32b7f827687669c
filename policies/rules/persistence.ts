import { trillianNames } from "../../infra/scaffold/names.ts";
import { title } from "../../infra/scaffold/postrender/manifest.ts";
import { containers, objectRule, podSpec } from "../objects.ts";
import { find, list } from "../plain.ts";

export const dataPersistent = objectRule<{ workloads: string[] }>({
  name: "data-persistent",
  description:
    "Keep the logs' database on a persistent volume claim that its container mounts: what it loses, no key brings back.",
  config: {
    // Deployments and StatefulSets by name.
    workloads: { type: "array", items: { type: "string" }, default: [trillianNames.database] },
  },
  check: (objects, { workloads }) =>
    objects
      .filter(({ kind }) => kind === "Deployment" || kind === "StatefulSet")
      .filter(({ metadata }) => workloads.includes(metadata.name))
      .filter((object) => {
        const pod = podSpec(object) ?? {};
        const claims = list(pod, "volumes")
          .filter((volume) => find(volume, "persistentVolumeClaim", "claimName") !== undefined)
          .map(({ name }) => name);
        const mounts = containers(pod).flatMap((container) => list(container, "volumeMounts"));
        return !mounts.some(({ name }) => claims.includes(name));
      })
      .map((object) => `${title(object)} mounts no persistent volume claim`),
});
