import { expect, test } from "vitest";
import * as YAML from "yaml";
import { printRights, type RbacOptions } from "../../../cli/rbac/command.ts";
import type { Manifest } from "../../../cli/rbac/manifests.ts";

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
  const all = await manifests({ serviceAccount: "ci/deployer" });
  const named = (kind: string) => all.filter((manifest) => manifest.kind === kind);
  expect(named("Namespace").map(({ metadata }) => metadata.name)).toEqual(spaces);
  expect(named("Role").map(({ metadata }) => metadata.namespace)).toEqual(spaces);
  for (const binding of named("RoleBinding"))
    expect(binding).toMatchObject({
      roleRef: { kind: "Role", name: "anchorhold-local-deployer" },
      subjects: [{ kind: "ServiceAccount", namespace: "ci", name: "deployer" }],
    });
});

test("outside of them: to look at and label these namespaces, and to see which cluster it is", async () => {
  const [role] = (await manifests({ group: "deployers" })).filter(
    ({ kind }) => kind === "ClusterRole",
  );
  expect(role?.["rules"]).toEqual([
    { apiGroups: [""], resources: ["namespaces"], verbs: ["get", "patch"], resourceNames: spaces },
    { apiGroups: [""], resources: ["namespaces"], verbs: ["get"], resourceNames: ["kube-system"] },
  ]);
});

test("no rule names everything", async () => {
  expect(JSON.stringify(await manifests({ user: "ci" }))).not.toContain('"*"');
});

test.each([
  [{}, "Name the identity that deploys"],
  [{ user: "a", group: "b" }, "Name the identity that deploys"],
  [{ serviceAccount: "deployer" }, "--service-account deployer: give NAMESPACE/NAME"],
  [{ user: "a", file: "nowhere.yaml" }, "nowhere.yaml"],
])("refuses %j", async (options, message) => {
  await expect(manifests(options)).rejects.toThrow(message);
});
