import { trillianNames } from "../../../../infra/scaffold/names.ts";
import type { Evidence, Replica } from "../../evidence.ts";
import { at, refOf, title, type KubeObject } from "../../kubernetes.ts";
import { expectedObjects } from "../expected.ts";
import { componentOf, outageOf, type Component, type Symptom } from "../fault.ts";

const { database } = trillianNames;

/** Deployments of which no pod is ready, and servers that are ready and do not answer. */
export function silentServices(evidence: Evidence): Symptom[] {
  return [...notReady(evidence), ...mute(evidence)];
}

function notReady(evidence: Evidence): Symptom[] {
  const { prefix } = evidence.state.outputs;
  const deployments = expectedObjects(evidence).filter(
    ({ object }) => object.kind === "Deployment",
  );
  const hasDatabase = deployments.some(({ object }) => object.metadata.name === database);
  const silent = deployments
    .flatMap(({ object }) => evidence.live[title(refOf(object))] ?? [])
    .filter((live) => ready(live) === 0 && at(live, "spec", "replicas") !== 0);
  return silent
    .sort((a, b) => depth(a) - depth(b))
    .map((live) => {
      const { namespace = "", name } = live.metadata;
      const component = componentOf(namespace, prefix);
      const troubles = troublesOf(replicasOf(evidence, component));
      const needsOther = component === "trillian" && !hasDatabase;
      return symptom({
        component,
        place: title(refOf(live)),
        cause:
          `None of its pods is ready: ${troubles || conditionOf(live)}.` +
          (needsOther ? " Its database is external; a preview asks whether it can be used." : ""),
        command: needsOther ? "pulumi preview" : `kubectl describe pods --namespace ${namespace}`,
        // The search index is no part of signing.
        explains: name.endsWith("-redis") ? [] : ["serving", "identity", "content", "fresh"],
      });
    });
}

const ready = (deployment: KubeObject): number =>
  Number(at(deployment, "status", "readyReplicas") ?? 0);

/** The database first, then what needs it. */
function depth({ metadata: { name } }: KubeObject): number {
  if (name === database) return 0;
  return name.startsWith("trillian-") ? 1 : 2;
}

function conditionOf(deployment: KubeObject): string {
  const conditions = at(deployment, "status", "conditions");
  const unmet = (Array.isArray(conditions) ? conditions : []).find(
    (condition) => at(condition, "status") === "False",
  ) as unknown;
  const message = at(unmet, "message");
  return typeof message === "string" ? message : "no reason is known";
}

/** Every serving pod of a service gives no answer, or none that can be read. */
function mute(evidence: Evidence): Symptom[] {
  const { prefix } = evidence.state.outputs;
  const { served } = evidence;
  const lists = [
    served.ctLog,
    ...Object.values(served.rekor),
    served.tsa,
    served.fulcio,
    served.tuf,
  ];
  return lists.flatMap((replicas: readonly Replica<unknown>[]): Symptom[] => {
    const asked = replicas.filter(({ serving }) => serving);
    const [first] = asked;
    if (first === undefined || asked.some(({ answer }) => answer !== undefined)) return [];
    return [
      symptom({
        component: componentOf(first.namespace, prefix),
        place: `Pod ${first.namespace}/${first.pod}`,
        cause: `It is ready but does not answer as it should: ${first.trouble ?? "no answer"}.`,
        command: `kubectl logs --namespace ${first.namespace} ${first.pod}`,
        explains: ["serving", "identity", "content", "fresh"],
      }),
    ];
  });
}

function replicasOf({ served }: Evidence, component: Component): readonly Replica<unknown>[] {
  switch (component) {
    case "fulcio":
    case "tsa":
    case "tuf":
      return served[component];
    case "ctlog":
      return served.ctLog;
    case "trillian":
    case "stack":
      return [];
    default:
      return served.rekor[component.slice("rekor-".length)] ?? [];
  }
}

const troublesOf = (replicas: readonly Replica<unknown>[]): string =>
  [...new Set(replicas.flatMap(({ trouble }) => trouble ?? []))].join("; ");

function symptom(
  from: Pick<Symptom, "component" | "place" | "cause" | "command" | "explains">,
): Symptom {
  return { ...from, id: "not-running", aspect: "serving", users: outageOf(from.component) };
}

/** Addresses that do not answer here although the pods behind them do. */
export function silentAddresses({ addresses }: Evidence): Symptom[] {
  return addresses.flatMap(({ name, url, trouble }): Symptom[] => {
    if (trouble === undefined) return [];
    const component = name as Component;
    return [
      {
        id: "address-unreachable",
        component,
        aspect: "serving",
        place: url,
        users: outageOf(component),
        cause: `The pods answer, but this address does not, seen from here: ${trouble}.`,
        command: `curl -v ${url}`,
        explains: [],
      },
    ];
  });
}
