import { posix } from "node:path";
import { refOf } from "../../../../local/pulumi/kubernetes/cluster.ts";
import type { MemoryCluster } from "../../../../local/pulumi/kubernetes/memoryCluster.ts";
import {
  at,
  isObject,
  listAt,
  objectAt,
  textAt,
  type Props,
} from "../../../../local/pulumi/values.ts";

/** Why a container does not run: what the kubelet or the program's own log would say. */
export class NotStarted extends Error {
  override readonly name = "NotStarted";
}

/** A file's path relative to a volume → content. */
type Files = ReadonlyMap<string, Buffer>;

/**
 * What a container's program sees, read from the objects that its pod names as they are now: a
 * pod that starts at this moment sees this.
 */
export class ContainerView {
  /** Command and arguments, variables expanded. */
  readonly argv: readonly string[];
  private readonly files: Files;

  /** @throws {NotStarted} when an object or key is missing that the pod cannot start without */
  constructor(cluster: MemoryCluster, pod: Props, container: Props) {
    const objects = new Objects(cluster, refOf(pod).namespace);
    const env = environment(objects, container);
    const words = ["command", "args"].flatMap((part) => (at(container, part) ?? []) as string[]);
    this.argv = words.map((word) =>
      word.replaceAll(/\$\((\w+)\)/g, (as, key: string) => env[key] ?? as),
    );
    this.files = mounted(objects, pod, container);
  }

  /** The value of `--name=value` or `--name value`; undefined without the flag. */
  flag(name: string): string | undefined {
    const place = this.argv.findIndex((word) => word === name || word.startsWith(`${name}=`));
    const word = this.argv[place];
    return word === name ? this.argv[place + 1] : word?.slice(name.length + 1);
  }

  /** The content of a file; undefined when there is none. */
  find(path: string): Buffer | undefined {
    return this.files.get(posix.normalize(path));
  }

  /** @throws {NotStarted} without the file */
  read(path: string): Buffer {
    const content = this.find(path);
    if (content !== undefined) return content;
    throw new NotStarted(`open ${path}: no such file or directory`);
  }

  text(path: string): string {
    return this.read(path).toString();
  }
}

/** ConfigMaps and Secrets of one namespace. */
class Objects {
  private readonly cluster: MemoryCluster;
  private readonly namespace: string;

  constructor(cluster: MemoryCluster, namespace: string) {
    this.cluster = cluster;
    this.namespace = namespace;
  }

  /** The content by key; undefined without the object. */
  data(kind: "Secret" | "ConfigMap", name: string): Files | undefined {
    // The cluster's own controller keeps this one in every namespace.
    if (name === "kube-root-ca.crt") return new Map([["ca.crt", Buffer.from("the cluster's CA")]]);
    const ref = { apiVersion: "v1", kind, namespace: this.namespace, name };
    const object = this.cluster.stored(ref);
    if (object === undefined) return undefined;
    const decoded = (field: string, encoding: BufferEncoding) =>
      Object.entries(objectAt(object, field)).map(
        ([key, value]) => [key, Buffer.from(value as string, encoding)] as const,
      );
    return new Map([
      ...decoded("data", kind === "Secret" ? "base64" : "utf8"),
      ...decoded("binaryData", "base64"),
    ]);
  }

  /** The content of a volume's source by path, `items` applied. */
  volume(kind: "Secret" | "ConfigMap", name: string, source: Props): Files {
    const data = this.data(kind, name);
    if (data === undefined) {
      if (source["optional"] === true) return new Map();
      throw new NotStarted(`MountVolume.SetUp failed: ${kind.toLowerCase()} "${name}" not found`);
    }
    if (!Array.isArray(source["items"])) return data;
    return new Map(
      listAt(source, "items").map((item) => {
        const content = data.get(textAt(item, "key"));
        if (content !== undefined) return [textAt(item, "path"), content];
        throw new NotStarted(`${kind.toLowerCase()} "${name}" has no key "${textAt(item, "key")}"`);
      }),
    );
  }
}

/** Files that hold an annotation of the pod each. */
function annotationFiles(pod: Props, source: Props): Files {
  const annotations = objectAt(pod, "metadata", "annotations");
  return new Map(
    listAt(source, "items").map((item) => {
      const field = textAt(item, "fieldRef", "fieldPath");
      const [, name = ""] = /^metadata\.annotations\['(.+)'\]$/.exec(field) ?? [];
      return [textAt(item, "path"), Buffer.from(textAt(annotations, name))];
    }),
  );
}

function volumeFiles(objects: Objects, pod: Props, volume: Props): Files {
  const { secret, configMap, projected, downwardAPI } = volume;
  if (isObject(downwardAPI)) return annotationFiles(pod, downwardAPI);
  if (isObject(secret)) return objects.volume("Secret", textAt(secret, "secretName"), secret);
  if (isObject(configMap)) return objects.volume("ConfigMap", textAt(configMap, "name"), configMap);
  const sources = listAt(projected, "sources").map((source) =>
    isObject(source["secret"])
      ? objects.volume("Secret", textAt(source, "secret", "name"), source["secret"])
      : isObject(source["configMap"])
        ? objects.volume("ConfigMap", textAt(source, "configMap", "name"), source["configMap"])
        : new Map<string, Buffer>(),
  );
  return new Map(sources.flatMap((files) => [...files]));
}

/** Every file that the container's mounts show, by absolute path. */
function mounted(objects: Objects, pod: Props, container: Props): Files {
  const volumes = new Map(
    // Each volume must be there for the pod to start, mounted or not.
    listAt(pod, "spec", "volumes").map((volume) => [
      textAt(volume, "name"),
      volumeFiles(objects, pod, volume),
    ]),
  );
  const files = new Map<string, Buffer>();
  for (const mount of listAt(container, "volumeMounts")) {
    const [name, mountPath] = [textAt(mount, "name"), textAt(mount, "mountPath")];
    const content = volumes.get(name);
    if (content === undefined) throw new NotStarted(`volumeMounts: "${name}" is not a volume`);
    const subPath = textAt(mount, "subPath");
    for (const [path, bytes] of content) {
      if (subPath === "") files.set(posix.join(mountPath, path), bytes);
      else if (path === subPath) files.set(posix.normalize(mountPath), bytes);
    }
  }
  return files;
}

function environment(objects: Objects, container: Props): Record<string, string> {
  return Object.fromEntries(
    listAt(container, "env").map((variable) => {
      const name = textAt(variable, "name");
      const from = objectAt(variable, "valueFrom");
      const [reference, kind] = isObject(from["secretKeyRef"])
        ? [from["secretKeyRef"], "Secret" as const]
        : [objectAt(from, "configMapKeyRef"), "ConfigMap" as const];
      if (Object.keys(reference).length === 0) return [name, textAt(variable, "value")];
      const value = objects.data(kind, textAt(reference, "name"))?.get(textAt(reference, "key"));
      if (value !== undefined) return [name, value.toString()];
      if (reference["optional"] === true) return [name, ""];
      const what = `${kind.toLowerCase()} "${textAt(reference, "name")}"`;
      throw new NotStarted(`couldn't find key ${textAt(reference, "key")} in ${what}`);
    }),
  );
}
