import { once } from "node:events";
import { request } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { createSecureContext, type SecureContext } from "node:tls";
import {
  CoreV1Api,
  NetworkingV1Api,
  type KubeConfig,
  type V1Ingress,
} from "@kubernetes/client-node";

/** What leads from a host name to its Service. */
interface Backend {
  context: SecureContext;
  address: string;
  port: number;
}

/**
 * Stands in for an Ingress controller on a node of ours, where the addresses of Services can be
 * reached: TLS ends here, with the certificate of the Secret that each Ingress names, and requests
 * go on in plain HTTP. It reads the Ingresses once.
 */
export class IngressStandIn {
  readonly port: number;
  private readonly server: Server;

  private constructor(server: Server) {
    this.server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  static async start(config: KubeConfig, namespaces: readonly string[]): Promise<IngressStandIn> {
    const backends = await readBackends(config, namespaces);
    const server = createServer(
      {
        SNICallback: (host, answer) => {
          const context = backends.get(host)?.context;
          if (context === undefined) answer(new Error(`no Ingress for ${host}`));
          else answer(null, context);
        },
      },
      (incoming, response) => {
        const backend = backends.get(incoming.headers.host ?? "");
        if (backend === undefined) return void response.writeHead(404).end();
        const { method, url: path, headers } = incoming;
        const { address: host, port } = backend;
        // A connection for each request, so that a pod that ends is not asked through an old one.
        const onward = request({ host, port, method, path, headers, agent: false }, (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
        });
        onward.on("error", () =>
          response.headersSent ? response.destroy() : response.writeHead(502).end(),
        );
        incoming.pipe(onward);
      },
    );
    await once(server.listen(0, "127.0.0.1"), "listening");
    return new IngressStandIn(server);
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

async function readBackends(config: KubeConfig, namespaces: readonly string[]) {
  const networking = config.makeApiClient(NetworkingV1Api);
  const lists = namespaces.map((namespace) => networking.listNamespacedIngress({ namespace }));
  const ingresses = (await Promise.all(lists)).flatMap(({ items }) => items);
  const core = config.makeApiClient(CoreV1Api);
  const entries = ingresses.map(async (one): Promise<[string, Backend]> => {
    const { namespace = "" } = one.metadata ?? {};
    const { host, secretName, service, number } = partsOf(one);
    const secret = await core.readNamespacedSecret({ namespace, name: secretName });
    const { spec } = await core.readNamespacedService({ namespace, name: service });
    const pem = (key: string) => Buffer.from(secret.data?.[key] ?? "", "base64");
    const context = createSecureContext({ cert: pem("tls.crt"), key: pem("tls.key") });
    return [host, { context, address: spec?.clusterIP ?? "", port: number }];
  });
  return new Map(await Promise.all(entries));
}

/** Of an Ingress of this program, which has one host and one path. */
function partsOf({ spec, metadata }: V1Ingress) {
  const [rule] = spec?.rules ?? [];
  const backend = rule?.http?.paths[0]?.backend.service;
  const [tls] = spec?.tls ?? [];
  const [host, secretName] = [rule?.host, tls?.secretName];
  const [service, number] = [backend?.name, backend?.port?.number];
  if (host === undefined || secretName === undefined || service === undefined || !number)
    throw new Error(`Ingress ${metadata?.namespace}/${metadata?.name} lacks a part`);
  return { host, secretName, service, number };
}
