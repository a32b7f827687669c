import { describe, expect, test } from "vitest";
import * as YAML from "yaml";
import { printRights, type RbacOptions } from "../../../cli/rbac/command.ts";
import { deployerManifests, type Manifest } from "../../../cli/rbac/manifests.ts";
import { exposureSchema } from "../../../infra/config/exposure.ts";
import { hosts } from "../../support/tlsSecret.ts";

const file = new URL("../../../stacks/Pulumi.local.yaml", import.meta.url).pathname;

async function manifests(options: RbacOptions): Promise<Manifest[]> {
  let printed = "";
  await printRights({ file, ...options }, (text) => (printed += text));
  return YAML.parseAllDocuments(printed).map((document) => document.toJS() as Manifest);
}

const spaces = ["trillian", "ctlog", "tsa", "fulcio", "rekor-1", "tuf"].map(
  (part) => `anchorhold-local-${part}`,
);

test("each namespace of the stack, and a Role in each", async () => {
  const all = await manifests({ serviceAccount: ["ci/deployer"] });
  const named = (kind: string) => all.filter((manifest) => manifest.kind === kind);
  expect(named("Namespace").map(({ metadata }) => metadata.name)).toEqual(spaces);
  expect(named("Role").map(({ metadata }) => metadata.namespace)).toEqual(spaces);
  for (const binding of named("RoleBinding"))
    expect(binding).toMatchObject({
      roleRef: { kind: "Role", name: "anchorhold-local-deployer" },
      subjects: [{ kind: "ServiceAccount", namespace: "ci", name: "deployer" }],
    });
});

test("several identities stand in one binding: applying it for one takes it from the others", async () => {
  const all = await manifests({ serviceAccount: ["ci/deployer", "ci/drift"], group: ["on-call"] });
  const bindings = all.filter(({ kind }) => kind.endsWith("Binding"));
  expect(bindings).toHaveLength(spaces.length + 1);
  for (const { subjects } of bindings)
    expect((subjects as { name: string }[]).map(({ name }) => name)).toEqual([
      "deployer",
      "drift",
      "on-call",
    ]);
});

test("outside of them: to look at and label these namespaces, and to see which cluster it is", async () => {
  const [role] = (await manifests({ group: ["deployers"] })).filter(
    ({ kind }) => kind === "ClusterRole",
  );
  expect(role?.["rules"]).toEqual([
    { apiGroups: [""], resources: ["namespaces"], verbs: ["get", "patch"], resourceNames: spaces },
    { apiGroups: [""], resources: ["namespaces"], verbs: ["get"], resourceNames: ["kube-system"] },
  ]);
});

test("no rule names everything", async () => {
  expect(JSON.stringify(await manifests({ user: ["ci"] }))).not.toContain('"*"');
});

describe("with host names in front of the services", () => {
  const subject = {
    kind: "Group",
    apiGroup: "rbac.authorization.k8s.io",
    name: "deployers",
  } as const;
  const given = (exposure: object) => ({
    ...{ prefix: "sample", rekor: [1] },
    exposure: exposureSchema.parse({ hosts, ...exposure }),
  });
  const rules = (exposure: object) =>
    deployerManifests(given(exposure), [subject])
      .filter(({ kind, metadata }) => kind === "Role" && metadata.namespace === "sample-tuf")
      .flatMap((role) => role["rules"] as { apiGroups: string[]; resources: string[] }[])
      .flatMap(({ apiGroups, resources }) => resources.map((name) => `${apiGroups[0]}/${name}`));

  test("it manages Ingresses, or Routes with a host of one's choice, and not both", () => {
    const tls = { certManager: { clusterIssuer: "company" } };
    const ingress = rules({ type: "ingress", tls });
    const route = rules({ type: "route" });
    expect(ingress.filter((name) => !route.includes(name))).toEqual([
      "networking.k8s.io/ingresses",
    ]);
    expect(route.filter((name) => !ingress.includes(name))).toEqual([
      "route.openshift.io/routes",
      "route.openshift.io/routes/custom-host",
    ]);
  });

  test("it may look at the one Secret with the certificate, where there is one", () => {
    const readers = (exposure: object) =>
      deployerManifests(given(exposure), [subject]).filter(
        ({ metadata }) => metadata.name === "sample-deployer-certificate",
      );
    expect(readers({ type: "route" })).toEqual([]);
    const tls = { secret: "certificates/sigstore-tls" };
    expect(readers({ type: "ingress", tls })).toMatchObject([
      {
        kind: "Role",
        metadata: { namespace: "certificates" },
        rules: [{ resources: ["secrets"], verbs: ["get"], resourceNames: ["sigstore-tls"] }],
      },
      { kind: "RoleBinding", metadata: { namespace: "certificates" }, subjects: [subject] },
    ]);
  });
});

test.each([
  [{}, "Name who deploys"],
  [{ serviceAccount: ["deployer"] }, "--service-account deployer: give NAMESPACE/NAME"],
  [{ user: ["a"], file: "nowhere.yaml" }, "nowhere.yaml"],
])("refuses %j", async (options, message) => {
  await expect(manifests(options)).rejects.toThrow(message);
});

test("objects of the Prometheus operator are managed only where the stack makes them", () => {
  const subject = { kind: "ServiceAccount", namespace: "ci", name: "deployer" } as const;
  const printed = (monitoring: boolean) =>
    JSON.stringify(deployerManifests({ prefix: "a", rekor: [1], monitoring }, [subject]));
  expect(printed(false)).not.toContain("monitoring.coreos.com");
  expect(printed(true)).toContain('"resources":["servicemonitors","prometheusrules"]');
});

test("quotas and limit ranges are managed only where the configuration names a quota", () => {
  const subject = { kind: "ServiceAccount", namespace: "ci", name: "deployer" } as const;
  const printed = (quota: boolean) =>
    JSON.stringify(deployerManifests({ prefix: "a", rekor: [1], quota }, [subject]));
  expect(printed(false)).not.toContain("resourcequotas");
  expect(printed(true)).toContain('"resources":["resourcequotas","limitranges"]');
});
