import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer, request } from "node:https";
import { connect, type AddressInfo, type Server } from "node:net";
import { CoreV1Api, KubernetesObjectApi, type KubeConfig } from "@kubernetes/client-node";
import { forward, type Forward } from "../../../infra/observe/forward.ts";
import type { RouteSpec } from "../../../infra/platform/entrance/route.ts";
import type { Authority } from "../../support/authority.ts";

/**
 * Ready pods are looked up this often. OpenShift's router takes a change up within 5 seconds; here each
 * connection is a port-forward besides, which takes its own time.
 */
const reloadMs = 4_000;

interface Routed {
  namespace: string;
  spec: RouteSpec;
  /** Leads to a pod behind it. */
  backend: Forward;
}

export interface RouterArgs {
  config: KubeConfig;
  namespaces: readonly string[];
  /** The certificate of the hosts comes from it. */
  entrance: Authority;
  /** PEM of the CA that the pods' certificates must come from. */
  serviceCa: string;
}

/**
 * Stands in for OpenShift's router: takes the stack's Routes and brings a request for a host, over TLS,
 * to a ready pod over TLS, whose certificate must be the service CA's for SERVICE.NAMESPACE.svc. Clients
 * reach it as their HTTPS proxy, since no DNS knows the hosts.
 */
export class Router {
  private readonly routes: readonly Routed[];
  private readonly serviceCa: string;
  private readonly servers: Server[] = [];

  private constructor(routes: readonly Routed[], serviceCa: string) {
    this.routes = routes;
    this.serviceCa = serviceCa;
  }

  static async start({ config, namespaces, entrance, serviceCa }: RouterArgs): Promise<Router> {
    const routes = await Promise.all(
      (await routesIn(config, namespaces)).map(async ({ namespace, spec }) => ({
        ...{ namespace, spec },
        backend: await forward(config, choosing(config, namespace, spec)),
      })),
    );
    const router = new Router(routes, serviceCa);
    const pair = await entrance.issue(routes.map(({ spec }) => spec.host));
    const tls = createTlsServer(
      { cert: pair.certificatePem, key: pair.privateKeyPem },
      (incoming, outgoing) => router.pass(incoming, outgoing),
    );
    const inside = await router.listen(tls);
    const proxy = createServer();
    proxy.on("connect", (_request: IncomingMessage, client) => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      const up = connect(inside, "127.0.0.1");
      for (const [one, other] of [
        [client, up],
        [up, client],
      ] as const)
        one.on("error", () => other.destroy()).pipe(other);
    });
    router.url = `http://127.0.0.1:${await router.listen(proxy)}`;
    return router;
  }

  /** What clients name as their proxy. */
  url = "";

  /** The local address that leads to a ready pod behind the Route of a host, and the name it has there. */
  backend(host: string): { address: string; name: string } {
    const route = this.find(host, "/");
    if (route === undefined) throw new Error(`no Route has the host ${host}`);
    return { address: route.backend.address, name: nameOf(route) };
  }

  close(): void {
    for (const server of this.servers) server.close();
    for (const { backend } of this.routes) backend.close();
  }

  private async listen(server: Server): Promise<number> {
    this.servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return (server.address() as AddressInfo).port;
  }

  private find(host: string, path: string): Routed | undefined {
    const [longest] = this.routes
      .filter(({ spec }) => spec.host === host && path.startsWith(spec.path ?? "/"))
      .sort((a, b) => (b.spec.path ?? "").length - (a.spec.path ?? "").length);
    return longest;
  }

  private pass(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const [host = ""] = (incoming.headers.host ?? "").split(":");
    const route = this.find(host, incoming.url ?? "/");
    if (route === undefined) {
      outgoing.writeHead(503).end("no Route");
      return;
    }
    const [hostname, port] = route.backend.address.split(":");
    const { method, url: path, headers } = incoming;
    const up = request({
      ...{ method, path, headers, hostname, port, agent: false },
      ...{ ca: this.serviceCa, servername: nameOf(route) },
    });
    up.on("response", (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    up.on("error", (error) => outgoing.writeHead(502).end(String(error)));
    incoming.pipe(up);
  }
}

const nameOf = ({ namespace, spec }: Routed) => `${spec.to.name}.${namespace}.svc`;

async function routesIn(config: KubeConfig, namespaces: readonly string[]) {
  const api = KubernetesObjectApi.makeApiClient(config);
  const lists = await Promise.all(
    namespaces.map((namespace) => api.list("route.openshift.io/v1", "Route", namespace)),
  );
  return lists
    .flatMap(({ items }) => items)
    .map((route) => {
      const { spec } = route as unknown as { spec: RouteSpec };
      return { namespace: route.metadata?.namespace ?? "", spec };
    });
}

/** Goes round the ready pods behind a Route, as of at most `reloadMs` ago. */
function choosing(config: KubeConfig, namespace: string, { to, port }: RouteSpec) {
  const core = config.makeApiClient(CoreV1Api);
  let known = { at: 0, pods: [] as string[] };
  let turn = 0;
  let target = 0;
  const look = async () => {
    const { spec } = await core.readNamespacedService({ namespace, name: to.name });
    target = Number(spec?.ports?.find(({ name }) => name === port.targetPort)?.targetPort);
    const selector = Object.entries(spec?.selector ?? {}).map(
      ([label, value]) => `${label}=${value}`,
    );
    const { items } = await core.listNamespacedPod({
      namespace,
      labelSelector: selector.join(","),
    });
    const ready = items.filter(
      ({ metadata, status }) =>
        metadata?.deletionTimestamp === undefined &&
        status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True"),
    );
    known = { at: Date.now(), pods: ready.map(({ metadata }) => metadata?.name ?? "") };
  };
  return async () => {
    if (Date.now() - known.at > reloadMs || known.pods.length === 0) await look();
    const pod = known.pods[turn++ % Math.max(1, known.pods.length)];
    return pod === undefined ? undefined : { namespace, pod, port: target };
  };
}
