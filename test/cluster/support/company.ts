import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import { addresses } from "../../../local/node/layout.ts";
import { ForwardProxy } from "../../support/forwardProxy.ts";
import { NtpServerStandIn } from "../../support/ntpServer.ts";
import { PrivateCa } from "../../support/privateCa.ts";
import { PrivateIssuer } from "../../support/privateIssuer.ts";
import { tlsSecret } from "../../support/tlsSecret.ts";
import { IngressStandIn } from "./ingress.ts";
import { adminKubeconfig } from "./node.ts";
import { SecondStack } from "./secondStack.ts";

const name = "corp";
/** Not among the stack's own namespaces, which all begin with its prefix. */
const certificates = `${name}-certificates`;
const issuerHost = "gitlab.corp.test";
const domain = "sigstore.corp.test";
const hosts = {
  tuf: `tuf.${domain}`,
  fulcio: `fulcio.${domain}`,
  tsa: `tsa.${domain}`,
  ctLog: `ctlog.${domain}`,
  rekor: { "1": `rekor-1.${domain}` },
};

/** Who signs, as the company's issuer and the certificates of Fulcio name him. */
export const person = { name: "ada@corp.test", issuer: `https://${issuerHost}` };

/**
 * A company's network on a node of ours, with a stack in it: issuer and all addresses of the stack
 * have certificates of a private CA, and names that the company's proxy alone can resolve.
 */
export class Company {
  readonly ca: PrivateCa;
  readonly issuer: PrivateIssuer;
  readonly proxy: ForwardProxy;
  readonly time: NtpServerStandIn;
  readonly stack: SecondStack;
  /** A file with the CA's certificate. */
  readonly caFile: string;
  private readonly ingress: IngressStandIn;
  private readonly folder: string;
  private readonly core: CoreV1Api;

  private constructor(parts: Parts) {
    this.ca = parts.ca;
    this.issuer = parts.issuer;
    this.proxy = parts.proxy;
    this.time = parts.time;
    this.stack = parts.stack;
    this.ingress = parts.ingress;
    this.folder = parts.folder;
    this.core = parts.core;
    this.caFile = join(parts.folder, "company-ca.pem");
  }

  /** Brings the stack up, without the company's CA in its configuration. */
  static async open(): Promise<Company> {
    const config = new KubeConfig();
    config.loadFromFile(adminKubeconfig());
    const core = config.makeApiClient(CoreV1Api);
    const ca = await PrivateCa.create();
    const folder = await mkdtemp(join(tmpdir(), "anchorhold-company-"));
    await writeFile(join(folder, "company-ca.pem"), ca.certificatePem);
    const issuer = await PrivateIssuer.start(person.issuer, await ca.issue(issuerHost));
    const time = await NtpServerStandIn.start(addresses.node);
    const ports: Record<string, number> = { [issuerHost]: issuer.port };
    const proxy = await ForwardProxy.start(ports, addresses.node);
    await giveCertificate(core, await ca.issue(`*.${domain}`));
    const values = {
      "anchorhold:exposure": { type: "ingress", hosts, tls: { secret: `${certificates}/tls` } },
      "anchorhold:issuers": [
        { issuer: "https://kubernetes.default.svc", clientId: "sigstore", type: "kubernetes" },
        { issuer: person.issuer, clientId: "sigstore", type: "email" },
      ],
      "anchorhold:proxy": { https: `http://${addresses.node}:${proxy.port}` },
      "anchorhold:ntp": { servers: [time.address] },
    };
    const stack = await SecondStack.deploy({ name, values });
    const ingress = await IngressStandIn.start(config, stack.namespaces);
    for (const host of [...Object.values({ ...hosts, rekor: "" }), ...Object.values(hosts.rekor)])
      ports[host] = ingress.port;
    return new Company({ ca, issuer, proxy, time, stack, ingress, folder, core });
  }

  /** What a program needs in its environment to get out; the CA is for it to say. */
  get way(): NodeJS.ProcessEnv {
    const { node, apiService } = addresses;
    // The cluster's API is called directly, as by everybody who deploys from inside such a network.
    return {
      HTTPS_PROXY: `http://${node}:${this.proxy.port}`,
      NO_PROXY: `${node},${apiService},localhost,127.0.0.1`,
    };
  }

  /** What the pods of Fulcio have said. */
  async fulcioLogs(): Promise<string> {
    const pods = (await this.stack.pods()).filter(({ metadata }) =>
      metadata?.namespace?.endsWith("-fulcio"),
    );
    const read = pods.map(({ metadata }) =>
      this.core.readNamespacedPodLog({
        name: metadata?.name ?? "",
        namespace: metadata?.namespace ?? "",
      }),
    );
    return (await Promise.all(read)).join("\n");
  }

  async close(): Promise<void> {
    this.ingress.close();
    await this.core.deleteNamespace({ name: certificates });
    await this.stack.remove();
    this.issuer.close();
    this.proxy.close();
    this.time.close();
    await rm(this.folder, { recursive: true });
  }
}

type Parts = Pick<Company, "ca" | "issuer" | "proxy" | "time" | "stack"> & {
  ingress: IngressStandIn;
  folder: string;
  core: CoreV1Api;
};

/** The Secret that the Ingresses are to have copies of. */
async function giveCertificate(
  core: CoreV1Api,
  pair: Parameters<typeof tlsSecret>[0],
): Promise<void> {
  const namespace = certificates;
  await core.createNamespace({ body: { metadata: { name: namespace } } });
  const body = { metadata: { name: "tls", namespace }, ...tlsSecret(pair) };
  await core.createNamespacedSecret({ namespace, body });
}
