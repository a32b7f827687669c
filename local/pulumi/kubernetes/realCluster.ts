import { setTimeout as sleep } from "node:timers/promises";
import type { KubeConfig } from "@kubernetes/client-node";
import { isObject, listAt, objectAt, textAt, type Props } from "../values.ts";
import {
  ApiError,
  refOf,
  type Cluster,
  type Ref,
  type Scope,
  type WriteOptions,
} from "./cluster.ts";
import { RestClient } from "./restClient.ts";

interface Kind {
  plural: string;
  scope: Scope;
}

/** The manager of fields that were written by `create`, as the official plugin names it. */
const CREATE_MANAGER = "pulumi-kubernetes";

const POLL_MS = 500;

/** A cluster over its API. */
export class RealCluster implements Cluster {
  private readonly client: RestClient;
  private readonly discovered = new Map<string, Promise<Map<string, Kind>>>();

  constructor(config: KubeConfig) {
    this.client = new RestClient(config);
  }

  async scope(apiVersion: string, kind: string): Promise<Scope | undefined> {
    return (await this.kindOf(apiVersion, kind))?.scope;
  }

  async get(ref: Ref): Promise<Props | undefined> {
    const path = await this.path(ref, ref.name);
    if (path === undefined) return undefined;
    return this.client.call({ method: "GET", path }).catch(undefinedIfMissing);
  }

  async list(of: { apiVersion: string; kind: string; namespace: string }): Promise<Props[]> {
    const path = await this.path({ ...of, name: "" });
    if (path === undefined) return [];
    const answer = await this.client.call({ method: "GET", path });
    return listAt(answer, "items");
  }

  async create(object: Props, options: WriteOptions): Promise<Props> {
    const path = await this.path(refOf(object));
    if (path === undefined) throw noSuchKind(object);
    const query = { fieldManager: CREATE_MANAGER, ...dryRun(options) };
    return this.client.call({ method: "POST", path, query, body: object });
  }

  async apply(object: Props, options: WriteOptions): Promise<Props> {
    const path = await this.path(refOf(object), refOf(object).name);
    if (path === undefined) throw noSuchKind(object);
    const live = await this.client.call({ method: "GET", path });
    // A preview cannot hand over the fields first, so it must not mind who owns them.
    const force = options.force === true || (options.dryRun === true && ownedByCreate(live));
    if (options.dryRun !== true) await this.takeOver(path, live, options.fieldManager);
    return this.client.call({
      method: "PATCH",
      path,
      query: { fieldManager: options.fieldManager, force: String(force), ...dryRun(options) },
      body: object,
      contentType: "application/apply-patch+yaml",
    });
  }

  async delete(ref: Ref, propagation: "Foreground" | "Background" | "Orphan"): Promise<void> {
    const path = await this.path(ref, ref.name);
    if (path === undefined) return;
    const body = { kind: "DeleteOptions", apiVersion: "v1", propagationPolicy: propagation };
    await this.client.call({ method: "DELETE", path, body }).catch(undefinedIfMissing);
  }

  async pause(signal: AbortSignal): Promise<void> {
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
  }

  /**
   * Hands the fields that `create` wrote to the manager of server-side apply; otherwise a field
   * that the program no longer sets would stay, owned by the former
   * (kubernetes/kubernetes#99003).
   */
  private async takeOver(path: string, live: Props, fieldManager: string): Promise<void> {
    if (!ownedByCreate(live)) return;
    const managedFields = transferFields(listAt(live, "metadata", "managedFields"), fieldManager);
    await this.client.call({
      method: "PATCH",
      path,
      body: [
        { op: "replace", path: "/metadata/managedFields", value: managedFields },
        {
          op: "replace",
          path: "/metadata/resourceVersion",
          value: textAt(live, "metadata", "resourceVersion"),
        },
      ],
      contentType: "application/json-patch+json",
    });
  }

  private async path(ref: Ref, name?: string): Promise<string | undefined> {
    const kind = await this.kindOf(ref.apiVersion, ref.kind);
    if (kind === undefined) return undefined;
    const namespace =
      kind.scope === "namespaced" ? `/namespaces/${ref.namespace || "default"}` : "";
    return `${root(ref.apiVersion)}${namespace}/${kind.plural}${name ? `/${name}` : ""}`;
  }

  private async kindOf(apiVersion: string, kind: string): Promise<Kind | undefined> {
    const found = (await this.discover(apiVersion)).get(kind);
    // A definition may have been added since.
    if (found === undefined) this.discovered.delete(apiVersion);
    return found;
  }

  private discover(apiVersion: string): Promise<Map<string, Kind>> {
    const known = this.discovered.get(apiVersion);
    if (known !== undefined) return known;
    const answer = this.client
      .call({ method: "GET", path: root(apiVersion) })
      .catch(undefinedIfMissing)
      .then((list) => kindsOf(list ?? {}));
    this.discovered.set(apiVersion, answer);
    answer.catch(() => this.discovered.delete(apiVersion));
    return answer;
  }
}

function root(apiVersion: string): string {
  return apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

function kindsOf(list: Props): Map<string, Kind> {
  return new Map(
    listAt(list, "resources")
      .filter((item) => !textAt(item, "name").includes("/"))
      .map((item) => [
        textAt(item, "kind"),
        { plural: textAt(item, "name"), scope: item["namespaced"] ? "namespaced" : "cluster" },
      ]),
  );
}

function dryRun(options: WriteOptions): Record<string, string> {
  return options.dryRun ? { dryRun: "All" } : {};
}

function undefinedIfMissing(error: unknown): undefined {
  if (error instanceof ApiError && error.code === 404) return undefined;
  throw error;
}

function noSuchKind(object: Props): ApiError {
  const { apiVersion, kind } = refOf(object);
  return new ApiError(404, "NotFound", `no matches for kind "${kind}" in version "${apiVersion}"`);
}

function isCreateEntry(entry: Props): boolean {
  return entry["manager"] === CREATE_MANAGER && entry["operation"] === "Update";
}

function ownedByCreate(live: Props): boolean {
  return listAt(live, "metadata", "managedFields").some(isCreateEntry);
}

function union(left: Props, right: Props): Props {
  const merged = Object.entries(right).map(([key, value]) => {
    const other = left[key];
    return [key, isObject(value) && isObject(other) ? union(other, value) : value];
  });
  return { ...left, ...(Object.fromEntries(merged) as Props) };
}

/** The managed fields with those of `create` in the hands of `fieldManager`. */
export function transferFields(entries: readonly Props[], fieldManager: string): Props[] {
  const isOurs = (entry: Props): boolean =>
    entry["manager"] === fieldManager && entry["operation"] === "Apply";
  const moved = entries.filter((entry) => isCreateEntry(entry) || isOurs(entry));
  const [first] = moved;
  if (first === undefined) return [...entries];
  const fieldsV1 = moved.map((entry) => objectAt(entry, "fieldsV1")).reduce(union);
  const ours = { ...first, manager: fieldManager, operation: "Apply", fieldsV1 };
  return [ours, ...entries.filter((entry) => !moved.includes(entry))];
}
