import { roleLabel } from "./known.ts";
import { withPod, type Container, type Manifest } from "./manifest.ts";

/**
 * Where a server writes beside its volume, by its labels. MySQL keeps socket and process id in the
 * one folder and sorts large answers in the other; the chart has no place for further volumes.
 */
const folders: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "trillian/mysql": { tmp: "/tmp", run: "/var/run/mysqld" },
};

type Named = { name?: string };

/** A list with what is not in it yet by name: to run it again adds nothing. */
function joined(list: readonly unknown[] | undefined, more: readonly Named[]): unknown[] {
  const names = new Set((list ?? []).map((item) => (item as Named).name));
  return [...(list ?? []), ...more.filter(({ name }) => !names.has(name))];
}

/** Empty folders to write in, so that the image itself can be read-only like all others. */
export function withScratch(manifest: Manifest): Manifest {
  const wanted = Object.entries(folders[roleLabel(manifest)] ?? {});
  if (wanted.length === 0) return manifest;
  const volumes = wanted.map(([name]) => ({ name, emptyDir: {} }));
  const mounts = wanted.map(([name, mountPath]) => ({ name, mountPath }));
  const mounting = (container: Container): Container => ({
    ...container,
    volumeMounts: joined(container.volumeMounts, mounts),
  });
  return withPod(manifest, (pod) => ({
    ...pod,
    containers: pod.containers.map(mounting),
    volumes: joined(pod.volumes, volumes),
  }));
}
