import { nameOf, type Resource, type State } from "../../state.ts";
import { parseOutputs } from "../../verify/outputs.ts";
import type { ManagedObject, StackState } from "../evidence.ts";
import { isRecord, type KubeObject } from "../kubernetes.ts";

/** Marks a secret in an exported state (pulumi, sdk/go/common/resource: SigKey). */
const signature = "4dabf18193072939515e22adb298388d";

/**
 * What doctor reads of a state; secrets in it are encrypted and left out.
 * @param origin names the state in errors
 * @throws CannotRun when it is not of a deployed stack of this version
 */
export function stackState({ deployment }: State, origin: string): StackState {
  // What was replaced already is only not yet deleted.
  const all = deployment.resources.filter((resource) => resource["delete"] !== true);
  const stack = all.find(({ type }) => type === "pulumi:pulumi:Stack");
  return {
    outputs: parseOutputs(JSON.stringify(stack?.outputs ?? {}), origin),
    objects: all.filter(isObject).flatMap(managedObject),
    releases: all
      .filter(({ type }) => type === releaseType)
      .map(({ inputs }) => ({
        namespace: String(inputs["namespace"]),
        name: String(inputs["name"]),
      })),
    keys: all.filter(({ type }) => type === "tls:index/privateKey:PrivateKey").map(nameOf),
    pending: deployment.pending_operations.map(({ type, resource }) => `${type} ${resource.urn}`),
  };
}

const releaseType = "kubernetes:helm.sh/v3:Release";

function isObject({ type }: Resource): boolean {
  return type.startsWith("kubernetes:") && type !== releaseType;
}

function managedObject({ inputs, outputs }: Resource): ManagedObject[] {
  const expected = withoutSecrets(inputs);
  if (!isKubeObject(expected)) return [];
  // What a Secret holds is for the records to judge, and in the state it is encrypted.
  const { data, stringData, ...rest } = expected;
  const isSecret = expected.kind === "Secret";
  const metadata = isRecord(outputs["metadata"]) ? outputs["metadata"] : {};
  const text = (key: string) => (typeof metadata[key] === "string" ? metadata[key] : undefined);
  return [
    {
      expected: isSecret ? rest : { ...rest, data, stringData },
      uid: text("uid"),
      resourceVersion: text("resourceVersion"),
      labels: texts(metadata["labels"]),
      annotations: texts(metadata["annotations"]),
    },
  ];
}

function isKubeObject(value: unknown): value is KubeObject {
  return (
    isRecord(value) &&
    typeof value["kind"] === "string" &&
    typeof value["apiVersion"] === "string" &&
    isRecord(value["metadata"]) &&
    typeof value["metadata"]["name"] === "string"
  );
}

function texts(value: unknown): Record<string, string> {
  const entries = isRecord(value) ? Object.entries(value) : [];
  return Object.fromEntries(entries.map(([key, text]) => [key, String(text)]));
}

function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (!isRecord(value)) return value;
  if (signature in value) return undefined;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, withoutSecrets(inner)]),
  );
}
