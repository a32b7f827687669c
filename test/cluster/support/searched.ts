import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CoreV1Api, type KubeConfig } from "@kubernetes/client-node";
import { layout } from "../../../local/node/layout.ts";
import { homeDir } from "../../../local/paths.ts";
import { RestClient } from "../../../local/pulumi/kubernetes/restClient.ts";
import { filesUnder, objectPlaces, type KubernetesObject } from "../../support/keySearch/places.ts";
import type { Place } from "../../support/keySearch/search.ts";

interface ResourceList {
  resources: { name: string; kind: string; verbs: string[] }[];
}

/** Every object of every kind that the API server lists, in all namespaces. */
export async function objectsOf(config: KubeConfig): Promise<Place[]> {
  const client = new RestClient(config);
  const get = async <T>(path: string) => (await client.call({ method: "GET", path })) as T;
  const { groups } = await get<{ groups: { preferredVersion: { groupVersion: string } }[] }>(
    "/apis",
  );
  const apis = groups.map(({ preferredVersion }) => `/apis/${preferredVersion.groupVersion}`);
  const places: Place[] = [];
  for (const api of ["/api/v1", ...apis]) {
    const { resources } = await get<ResourceList>(api);
    for (const { name, kind, verbs } of resources) {
      if (name.includes("/") || !verbs.includes("list")) continue;
      const { items } = await get<{ items: KubernetesObject[] }>(`${api}/${name}`);
      for (const item of items) places.push(...objectPlaces({ ...item, kind }));
    }
  }
  return places;
}

/** What every container of a stack has logged, its former instances too. */
export async function logsOf(config: KubeConfig, prefix: string): Promise<Place[]> {
  const core = config.makeApiClient(CoreV1Api);
  const { items } = await core.listPodForAllNamespaces();
  const places: Place[] = [];
  for (const { metadata, status } of items) {
    const { name = "", namespace = "" } = metadata ?? {};
    if (!namespace.startsWith(`${prefix}-`)) continue;
    const all = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
    for (const { name: container, restartCount } of all)
      for (const previous of restartCount > 0 ? [false, true] : [false]) {
        const log = await core.readNamespacedPodLog({ name, namespace, container, previous });
        const where = `log of ${namespace}/${name} ${container}${previous ? ", before" : ""}`;
        places.push({ where, bytes: Buffer.from(log) });
      }
  }
  return places;
}

/**
 * What the local stack and its node have written on this machine: Pulumi's state with its backups
 * and history, configuration, outputs, logs, and what was left among temporary files. Left out is
 * where Kubernetes itself keeps Secrets and hands them to pods: etcd, the kubelet's mounts and the
 * container runtime's; and the database's volume.
 */
export function* filesOfNode(): Generator<Place> {
  const { etcd, pki, volumes, containerdState, kubelet } = layout;
  yield* filesUnder(homeDir, [etcd, pki, volumes, containerdState, kubelet]);
  const ours = /^(anchorhold-(verify|stack|rotate|restore|backup)|pulumi|helm)/;
  for (const name of readdirSync(tmpdir()))
    if (ours.test(name)) yield* filesUnder(join(tmpdir(), name));
}
