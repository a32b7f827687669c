import { CoreV1Api, type KubeConfig } from "@kubernetes/client-node";
import * as z from "zod";
import { loadKubeConfig } from "../infra/observe/kubeconfig.ts";
import { CannotRun, oneLine } from "./errors.ts";
import { askPulumi, stackFlag } from "./pulumi.ts";
import { clusterOf, type State } from "./state.ts";

/** The cluster that a command works on. */
export interface Target {
  config: KubeConfig;
  /** The uid of its namespace kube-system: another cluster has another one. */
  uid: string;
}

const configuration = z.record(z.string(), z.looseObject({ value: z.string().optional() }));

/**
 * The cluster that Pulumi would use for the stack: the context that its configuration names, else
 * the kubeconfig's current one.
 * @throws CannotRun when it does not answer
 */
export async function targetOf(stack: string | undefined): Promise<Target> {
  const text = await askPulumi(["config", "--json", ...stackFlag(stack)]);
  const context = configuration.parse(JSON.parse(text))["kubernetes:context"]?.value;
  const config = loadKubeConfig({ context });
  try {
    const system = await config.makeApiClient(CoreV1Api).readNamespace({ name: "kube-system" });
    return { config, uid: system.metadata?.uid ?? "" };
  } catch (error) {
    throw new CannotRun(
      `The cluster of context "${config.getCurrentContext()}" does not answer (${oneLine(error)}), ` +
        "so nothing was changed. Check KUBECONFIG and kubernetes:context.",
    );
  }
}

/** @throws CannotRun when the state belongs to another cluster; one that belongs to none is fine */
export function assertOwnCluster(state: State, { uid }: Target): void {
  const own = clusterOf(state);
  if (own === undefined || own === uid) return;
  throw new CannotRun(
    `The stack lives in the cluster whose kube-system has uid ${own}, the kubeconfig leads to ` +
      `${uid}; nothing was changed. Name the right context in KUBECONFIG or kubernetes:context.`,
  );
}
