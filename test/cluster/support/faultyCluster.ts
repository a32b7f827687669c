import type { KubeConfig } from "@kubernetes/client-node";
import { ObjectApi } from "../../../cli/doctor/api.ts";
import { refOf, type KubeObject } from "../../../cli/doctor/kubernetes.ts";
import type { FaultCluster } from "../../support/faults/cluster.ts";

/** What only the API server writes. */
const ofTheServer = ["uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"];

/** The running cluster as somebody meets it who knows nothing of Pulumi and Helm. */
export class FaultyCluster implements FaultCluster {
  private readonly api: ObjectApi;
  private readonly added: KubeObject[] = [];

  constructor(config: KubeConfig) {
    this.api = new ObjectApi(config);
  }

  list(apiVersion: string, kind: string, namespace: string): Promise<KubeObject[]> {
    return this.api.list(apiVersion, kind, namespace);
  }

  async write(object: KubeObject): Promise<void> {
    const { data, spec } = object;
    if (object["immutable"] !== true) return this.api.merge(refOf(object), { data, spec });
    await this.delete(object);
    await this.make(object);
  }

  async create(object: KubeObject): Promise<void> {
    await this.make(object);
    this.added.push(object);
  }

  async delete(object: KubeObject): Promise<void> {
    await this.api.delete(refOf(object));
  }

  /** Takes away what faults have put beside the stack's own objects. */
  async tidy(): Promise<void> {
    for (const object of this.added.splice(0)) await this.delete(object);
  }

  private async make({ status: _, ...object }: KubeObject): Promise<void> {
    const metadata = Object.fromEntries(
      Object.entries(object.metadata).filter(([field]) => !ofTheServer.includes(field)),
    );
    await this.api.create(refOf(object), { ...object, metadata } as KubeObject);
  }
}
