import { edit, pod, type Place } from "../../support/faults/cluster.ts";
import type { Scene } from "./scene.ts";

/** Stacks that look odd, and that nothing is wrong with. */
export const oddities: readonly { name: string; make(scene: Scene): Promise<unknown> }[] = [
  { name: "one of two pods of the CT log is down", make: oneDown },
  { name: "Fulcio is scaled up to three", make: (scene) => scaled(scene, 3) },
  {
    name: "objects have labels and annotations of others",
    make: async (scene) => {
      for (const place of [
        ["Deployment", "fulcio", "fulcio-server"],
        ["Secret", "fulcio", "fulcio-signer"],
        ["Secret", "trillian", "trillian-database-login"],
        ["ConfigMap", "tsa", "tsa-server-config"],
        ["Service", "tuf", "tuf"],
        ["Namespace", "", "anchorhold-local-rekor-1"],
      ] satisfies Place[])
        await edit(scene.target, place, ({ metadata }) => {
          metadata.labels = { ...metadata.labels, team: "platform" };
          metadata.annotations = { ...metadata.annotations, "backup.example.com/at": "night" };
        });
    },
  },
  {
    name: "Rekor was restarted by kubectl rollout restart",
    make: ({ target }) =>
      edit(target, ["Deployment", "rekor-1", "rekor-1-server"], (deployment) => {
        const { template } = deployment["spec"] as {
          template: { metadata: { annotations?: Record<string, string> } };
        };
        const at = { "kubectl.kubernetes.io/restartedAt": "2026-11-22T10:00:00Z" };
        template.metadata.annotations = { ...template.metadata.annotations, ...at };
      }),
  },
  {
    name: "the timestamp was renewed a moment ago",
    make: ({ jobs, outputs }) => jobs.runSchedule(`${outputs.prefix}-tuf`),
  },
  { name: "Jobs of former days lie about, and one is gone", make: otherJobs },
  {
    name: "somebody's own objects live in the namespaces",
    make: async ({ target }) => {
      for (const kind of ["ConfigMap", "Secret"])
        await target.cluster.create({
          apiVersion: "v1",
          kind,
          metadata: { name: "fulcio-signer-of-mine", namespace: `${target.outputs.prefix}-fulcio` },
          data: { private: "bm9uZQ==" },
        });
    },
  },
  {
    name: "a mesh has added a container, a volume and a variable",
    make: ({ target }) =>
      edit(target, ["Deployment", "tsa", "tsa-server"], (deployment) => {
        const { containers, volumes } = pod(deployment);
        containers.push({ name: "proxy", image: "mesh.example.com/proxy:1", args: ["sidecar"] });
        volumes.push({ name: "proxy-config", configMap: { name: "kube-root-ca.crt" } });
      }),
  },
  {
    name: "the server writes quantities and zero values in its own way",
    make: ({ target }) =>
      edit(target, ["Deployment", "trillian", "trillian-mysql"], (deployment) => {
        const [database] = pod(deployment).containers as unknown as [
          { resources: { requests: Record<string, string> }; ports: { name?: string }[] },
        ];
        const { requests } = database.resources;
        if (requests["memory"] !== "256Mi") throw new Error("another request than the test knows");
        requests["memory"] = String(256 * 2 ** 20);
      }),
  },
];

function oneDown({ cluster }: Scene): Promise<void> {
  const before = cluster.status;
  cluster.status = (object) => {
    const status = before(object);
    const { kind, metadata } = object as { kind?: string; metadata?: { name?: string } };
    if (kind !== "Deployment" || metadata?.name !== "ctlog") return status;
    return { ...status, replicas: 2, readyReplicas: 1, updatedReplicas: 2 };
  };
  return Promise.resolve();
}

function scaled({ target }: Scene, replicas: number): Promise<void> {
  return edit(target, ["Deployment", "fulcio", "fulcio-server"], (deployment) => {
    (deployment["spec"] as { replicas: number }).replicas = replicas;
  });
}

async function otherJobs({ target: { cluster, outputs } }: Scene): Promise<void> {
  const namespace = `${outputs.prefix}-tuf`;
  const jobs = await cluster.list("batch/v1", "Job", namespace);
  for (const job of jobs) await cluster.delete(job);
  for (const name of ["tuf-timestamp-29384720", "by-hand"])
    await cluster.create({
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name, namespace },
      spec: { template: { spec: { containers: [] } } },
    });
}
