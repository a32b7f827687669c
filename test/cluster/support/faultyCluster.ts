import type { KubeConfig } from "@kubernetes/client-node";
import { ObjectApi } from "../../../cli/doctor/api.ts";
import { refOf, type KubeObject } from "../../../cli/doctor/kubernetes.ts";
import type { FaultCluster } from "../../support/faults/cluster.ts";

/** What only the API server writes. */
const ofTheServer = ["uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"];

/** The running cluster as somebody meets it who knows nothing of Pulumi and Helm. */
export class FaultyCluster implements FaultCluster {
  private readonly api: ObjectApi;

  constructor(config: KubeConfig) {
    this.api = new ObjectApi(config);
  }

  list(apiVersion: string, kind: string, namespace: string): Promise<KubeObject[]> {
    return this.api.list(apiVersion, kind, namespace);
  }

  async write(object: KubeObject): Promise<void> {
    if (object["immutable"] === true) {
      await this.delete(object);
      await this.create(object);
      return;
    }
    const { data, spec } = object;
    await this.api.merge(refOf(object), { data, spec });
  }

  async create({ status: _, ...object }: KubeObject): Promise<void> {
    const metadata = Object.fromEntries(
      Object.entries(object.metadata).filter(([field]) => !ofTheServer.includes(field)),
    );
    const made = { ...object, metadata } as KubeObject;
    await this.api.create(refOf(made), made);
  }

  async delete(object: KubeObject): Promise<void> {
    await this.api.delete(refOf(object));
  }
}
