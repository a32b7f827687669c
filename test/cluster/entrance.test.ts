import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exposureSchema, type HostExposure } from "../../infra/config/exposure.ts";
import { fronts } from "../../infra/platform/entrance/front.ts";
import { ingressesOf } from "../../infra/platform/entrance/ingress.ts";
import { routeApi, routesOf } from "../../infra/platform/entrance/route.ts";
import { hosts } from "../support/tlsSecret.ts";
import { startApiServer, type ApiServer } from "./support/apiServer.ts";
import { routeDefinition } from "./support/routeDefinition.ts";

// Whether a real API server takes what the program makes: one of the test's own, with OpenShift's
// definition of Route. No stack is needed, and no controller runs: nothing is served here.
const prefix = "sample";
const strict = ["apply", "--server-side", "--validate=strict"];
type Of<T extends HostExposure["type"]> = Extract<HostExposure, { type: T }>;

let server: ApiServer;

beforeAll(async () => {
  server = await startApiServer();
  await accepted(["apply", "--filename", await routeDefinition()]);
  await accepted(["wait", "--for=condition=Established", "crd/routes.route.openshift.io"]);
  const namespaces = fronts(parse({ type: "route" }), prefix, [1]).map(({ namespace }) => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: namespace },
  }));
  await accepted(strict, namespaces);
});
afterAll(() => server?.close());

function parse<E extends { type: HostExposure["type"] }>(exposure: E): Of<E["type"]> {
  return exposureSchema.parse({ hosts, ...exposure }) as Of<E["type"]>;
}

async function accepted(args: readonly string[], objects?: readonly object[]): Promise<void> {
  const { code, stdout, stderr } = await server.kubectl(args, objects);
  expect({ code, said: code === 0 ? "" : `${stdout}${stderr}` }).toEqual({ code: 0, said: "" });
}

function routes(exposure: Of<"route">, secretName?: string) {
  return fronts(exposure, prefix, [1]).flatMap((front) =>
    routesOf(front, exposure, secretName).map(({ name, annotations, spec }) => ({
      ...routeApi,
      metadata: { name, namespace: front.namespace, annotations },
      spec,
    })),
  );
}

function ingresses(exposure: Of<"ingress">) {
  return fronts(exposure, prefix, [1]).flatMap((front) =>
    ingressesOf(front, exposure, `${front.name}-tls`).map(({ name, annotations, spec }) => ({
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: { name, namespace: front.namespace, annotations },
      spec,
    })),
  );
}

/** The names that the server has of a kind, in all namespaces. */
async function names(kind: string): Promise<string[]> {
  const { stdout } = await server.kubectl(["get", kind, "--all-namespaces", "--output=name"]);
  return stdout.split("\n").filter((line) => line !== "");
}

describe("a real API server accepts", () => {
  const annotations = { "example.com/team": "platform" };

  test("the Routes of a stack, edge and re-encrypt, with the router's certificate and one of its own", async () => {
    await accepted(strict, routes(parse({ type: "route", annotations })));
    expect(await names("routes.route.openshift.io")).toHaveLength(6);
    await accepted(strict, routes(parse({ type: "route", annotations }), "entrance-tls"));
    const reencrypt = { type: "route", termination: "reencrypt" } as const;
    await accepted(strict, routes(parse(reencrypt)));
    await accepted(strict, routes(parse(reencrypt), "entrance-tls"));
  });

  test("its Ingresses, with a Secret and with cert-manager's annotation", async () => {
    const given = { type: "ingress", className: "nginx", annotations } as const;
    await accepted(strict, ingresses(parse({ ...given, tls: { secret: "some/tls" } })));
    expect(await names("ingresses")).toHaveLength(6);
    const certManager = { clusterIssuer: "company" };
    await accepted(strict, ingresses(parse({ ...given, tls: { certManager } })));
  });
});

describe("and it does look at them", () => {
  test.each([
    ["a termination that there is not", { termination: "egde" }, /Unsupported value: "egde"/],
    ["a field that there is not", { externalSecret: {} }, /unknown field "externalSecret"/],
    [
      "a certificate from two places",
      { certificate: "PEM", externalCertificate: { name: "entrance-tls" } },
      /cannot have both spec\.tls\.certificate and spec\.tls\.externalCertificate/,
    ],
  ])("it refuses %s", async (_what, change, expected) => {
    const [route] = routes(parse({ type: "route" }));
    const tls = { ...route!.spec.tls, ...change };
    const { code, stderr } = await server.kubectl(strict, [
      { ...route, spec: { ...route!.spec, tls } },
    ]);
    expect(stderr).toMatch(expected);
    expect(code).not.toBe(0);
  });
});
