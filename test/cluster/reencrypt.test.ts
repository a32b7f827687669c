// Routes that re-encrypt, as far as they can be tried without OpenShift: a second stack of the program
// with them on the real node, where the test plays the service CA and the router. Pods, kubelet, nginx and
// OpenShift's definition of Route are real.
import { rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:tls";
import * as grpc from "@grpc/grpc-js";
import { AppsV1Api, KubeConfig, PatchStrategy, setHeaderOptions } from "@kubernetes/client-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fulcioGrpcPath, stackNamespaces } from "../../infra/scaffold/names.ts";
import { ensureTools } from "../../local/tools/index.ts";
import { certificateAuthority, type Authority } from "../support/authority.ts";
import { hosts } from "../support/tlsSecret.ts";
import { adminKubeconfig } from "./support/node.ts";
import { mustRun, run } from "./support/process.ts";
import { routeDefinition } from "./support/routeDefinition.ts";
import { Router } from "./support/router.ts";
import { arbitraryUser, SecondStack } from "./support/secondStack.ts";
import { ServiceCa } from "./support/serviceCa.ts";
import { asDeployer, describeStack, projectRoot } from "./support/stack.ts";

const name = "reencrypt";
const namespaces = stackNamespaces(`anchorhold-${name}`, [1]);
const fulcio = { namespace: `anchorhold-${name}-fulcio`, name: "fulcio-server" };

await describeStack("a stack whose Routes re-encrypt", () => {
  const config = new KubeConfig();
  const definition = "crd/routes.route.openshift.io";
  let entrance: Authority;
  let serviceCa: ServiceCa;
  let second: SecondStack;
  let router: Router;

  /** As the administrator: to define a kind is no right of whoever deploys. */
  async function kubectl(...args: string[]): Promise<void> {
    const { kubernetes = "" } = await ensureTools(["kubernetes"], () => undefined);
    const program = join(dirname(kubernetes), "kubectl");
    await mustRun(program, ["--kubeconfig", adminKubeconfig(), ...args]);
  }

  beforeAll(async () => {
    config.loadFromFile(adminKubeconfig());
    await kubectl("apply", "--server-side", "--filename", await routeDefinition());
    await kubectl("wait", "--for=condition=Established", definition);
    entrance = await certificateAuthority("stand-in for the router's certificate");
    serviceCa = await ServiceCa.start(config, namespaces);
    const values = {
      "anchorhold:platform": "openshift",
      "anchorhold:runAsUser": arbitraryUser,
      "anchorhold:exposure": { type: "route", termination: "reencrypt", hosts },
    };
    second = await SecondStack.deploy({ name, values });
    router = await Router.start({
      config,
      namespaces,
      entrance,
      serviceCa: serviceCa.authority.pem,
    });
  });

  afterAll(async () => {
    router?.close();
    await serviceCa?.stop();
    await second?.remove();
    await kubectl("delete", "--ignore-not-found", definition);
  });

  /** A client's request for a host, all the way through a pod's TLS. */
  function statusOf(host: string, path: string): Promise<number | string> {
    const { address, name } = router.backend(host);
    const [hostname, port] = address.split(":");
    return new Promise((resolve) => {
      const asked = request(
        { hostname, port, path, servername: name, ca: serviceCa.authority.pem, agent: false },
        (answer) => {
          answer.resume().on("end", () => resolve(answer.statusCode ?? 0));
        },
      );
      asked.on("error", (error) => resolve(error.message)).end();
    });
  }

  /** The fingerprint of the certificate that a pod of Fulcio shows. */
  function shown(): Promise<string> {
    const { address, name } = router.backend(hosts.fulcio);
    const [host = "", port] = address.split(":");
    return new Promise((resolve, reject) => {
      const ca = serviceCa.authority.pem;
      const socket = connect({ host, port: Number(port), servername: name, ca }, () => {
        resolve(socket.getPeerCertificate().fingerprint256);
        socket.destroy();
      }).on("error", reject);
    });
  }

  test("verify asks every service by its host, signs, and finds nothing wrong", async () => {
    const extra = join(tmpdir(), `anchorhold-entrance-${process.pid}.pem`);
    await writeFile(extra, entrance.pem);
    const server = new URL(config.getCurrentCluster()?.server ?? "").hostname;
    const { code, stdout, stderr } = await run(
      process.execPath,
      ["cli/main.ts", "verify", "--outputs", second.outputsFile],
      {
        cwd: projectRoot,
        env: {
          ...asDeployer(),
          ...{ NODE_EXTRA_CA_CERTS: extra, NODE_USE_ENV_PROXY: "1" },
          ...{ HTTPS_PROXY: router.url, NO_PROXY: `127.0.0.1,localhost,${server}` },
        },
      },
    ).finally(() => rm(extra));
    expect({ code, said: stdout + stderr }).toMatchObject({ code: 0 });
    expect(stdout).toContain(hosts.fulcio);
  });

  test("a client that does not know the service CA is refused by TLS itself", async () => {
    const { address, name } = router.backend(hosts.tuf);
    const [hostname, port] = address.split(":");
    const refused = new Promise<string>((resolve) => {
      const asked = request({ hostname, port, path: "/timestamp.json", servername: name });
      asked.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
      asked.on("response", () => resolve("an answer")).end();
    });
    expect(await refused).toBe("UNABLE_TO_VERIFY_LEAF_SIGNATURE");
    expect(await statusOf(hosts.tuf, "/timestamp.json")).toBe(200);
  });

  test("Fulcio's gRPC answers over TLS with HTTP/2, under the same authority as its HTTP", async () => {
    const { address, name } = router.backend(hosts.fulcio);
    const credentials = grpc.credentials.createSsl(Buffer.from(serviceCa.authority.pem));
    const client = new grpc.Client(address, credentials, { "grpc.ssl_target_name_override": name });
    const same = (bytes: Buffer) => bytes;
    const bundle = await new Promise<Buffer>((resolve, reject) => {
      client.makeUnaryRequest(
        `${fulcioGrpcPath}GetTrustBundle`,
        ...([same, same, Buffer.alloc(0)] as const),
        (error, answer) => (error === null ? resolve(answer ?? Buffer.alloc(0)) : reject(error)),
      );
    }).finally(() => client.close());
    const [root = "none"] = (await second.outputs()).records.fulcioCa["1"]?.chain.slice(-1) ?? [];
    expect(bundle.toString()).toContain(root.trim());
    expect(await statusOf(hosts.fulcio, "/api/v2/trustBundle")).toBe(200);
  });

  test("a renewed certificate is shown without a restart", async () => {
    const before = await shown();
    await serviceCa.renew(fulcio.namespace, fulcio.name);
    const started = Date.now();
    // The kubelet looks at mounted Secrets about once a minute.
    await expect.poll(shown, { timeout: 180_000, interval: 1_000 }).not.toBe(before);
    console.log(`shown after ${Math.round((Date.now() - started) / 1000)} s`);
    const containers = (await second.pods()).flatMap(
      ({ status }) => status?.containerStatuses ?? [],
    );
    const proxies = containers.filter(({ name }) => name === "tls");
    expect(proxies.map(({ restartCount }) => restartCount)).toEqual(Array(8).fill(0));
  });

  test("a roll of Fulcio drops no request, though the router hears of it seconds later", async () => {
    const apps = config.makeApiClient(AppsV1Api);
    const annotations = { "anchorhold.dev/test": "rolled" };
    await apps.patchNamespacedDeployment(
      { ...fulcio, body: { spec: { template: { metadata: { annotations } } } } },
      setHeaderOptions("Content-Type", PatchStrategy.StrategicMergePatch),
    );
    const outcomes: Record<string, number> = {};
    const rolled = async () => {
      const { metadata, spec, status } = await apps.readNamespacedDeployment(fulcio);
      return (
        status?.observedGeneration === metadata?.generation &&
        status?.updatedReplicas === spec?.replicas &&
        status?.replicas === spec?.replicas
      );
    };
    const limit = Date.now() + 180_000;
    // Until it is over, and the last pod that ends is gone from every view.
    for (
      let quiet = 0;
      quiet < 20 && Date.now() < limit;
      quiet = (await rolled()) ? quiet + 1 : 0
    ) {
      const answers = await Promise.all(
        Array.from({ length: 4 }, () => statusOf(hosts.fulcio, "/api/v2/configuration")),
      );
      for (const answer of answers) outcomes[answer] = (outcomes[answer] ?? 0) + 1;
      await sleep(500);
    }
    console.table(outcomes);
    expect(Object.keys(outcomes)).toEqual(["200"]);
    expect(outcomes["200"]).toBeGreaterThan(80);
    expect(await rolled()).toBe(true);
  });
});
