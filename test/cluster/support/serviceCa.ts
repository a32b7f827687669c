import { setTimeout as sleep } from "node:timers/promises";
import { CoreV1Api, type KubeConfig, type V1Service } from "@kubernetes/client-node";
import { servingCertAnnotation } from "../../../infra/scaffold/postrender/tlsProxy.ts";
import { certificateAuthority, type Authority } from "../../support/authority.ts";
import { tlsSecret } from "../../support/tlsSecret.ts";

/**
 * Stands in for OpenShift's service CA: a Secret with a certificate for SERVICE.NAMESPACE.svc for each
 * Service that asks for one by annotation.
 */
export class ServiceCa {
  readonly authority: Authority;
  private readonly core: CoreV1Api;
  private readonly namespaces: readonly string[];
  private readonly loop: Promise<void>;
  private ended = false;

  private constructor(config: KubeConfig, namespaces: readonly string[], authority: Authority) {
    this.authority = authority;
    this.core = config.makeApiClient(CoreV1Api);
    this.namespaces = namespaces;
    this.loop = this.run();
  }

  static async start(config: KubeConfig, namespaces: readonly string[]): Promise<ServiceCa> {
    return new ServiceCa(config, namespaces, await certificateAuthority("stand-in for service-ca"));
  }

  /** @throws what ended it before its time */
  async stop(): Promise<void> {
    this.ended = true;
    await this.loop;
  }

  /** Replaces a Service's certificate, as when it is about to expire. */
  async renew(namespace: string, name: string): Promise<void> {
    const service = await this.core.readNamespacedService({ namespace, name });
    const { metadata, body } = await this.secretOf(service);
    await this.core.replaceNamespacedSecret({ namespace, name: metadata.name, body });
  }

  private async run(): Promise<void> {
    while (!this.ended) {
      for (const namespace of this.namespaces) await this.serve(namespace);
      await sleep(500);
    }
  }

  private async serve(namespace: string): Promise<void> {
    const { items } = await this.core.listNamespacedService({ namespace });
    const asking = items.filter(({ metadata }) => metadata?.annotations?.[servingCertAnnotation]);
    if (asking.length === 0) return;
    const { items: secrets } = await this.core.listNamespacedSecret({ namespace });
    for (const service of asking) {
      const wanted = service.metadata?.annotations?.[servingCertAnnotation];
      if (secrets.some(({ metadata }) => metadata?.name === wanted)) continue;
      await this.core.createNamespacedSecret({
        namespace,
        body: (await this.secretOf(service)).body,
      });
    }
  }

  private async secretOf({ metadata: { name = "", namespace = "", annotations } = {} }: V1Service) {
    const pair = await this.authority.issue([`${name}.${namespace}.svc`]);
    const metadata = { name: annotations?.[servingCertAnnotation] ?? "", namespace };
    return { metadata, body: { metadata, ...tlsSecret(pair) } };
  }
}
