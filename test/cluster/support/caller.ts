import { setTimeout as sleep } from "node:timers/promises";
import { CoreV1Api, type KubeConfig, type V1Pod } from "@kubernetes/client-node";
import { startScript } from "../../../cli/backup/exec.ts";

/** A pod that tries connections as the pods whose labels it has. */
export interface Caller {
  namespace: string;
  name: string;
  /** Whether a shell command ends well in it. */
  succeeds(command: string): Promise<boolean>;
}

/** It keeps the "restricted" standard: the stack's namespaces take no other. */
function manifest(name: string, labels: Record<string, string>, image: string): V1Pod {
  return {
    metadata: { name, labels: { ...labels, "anchorhold.dev/test": "caller" } },
    spec: {
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 65533,
        seccompProfile: { type: "RuntimeDefault" },
      },
      containers: [
        {
          name: "caller",
          image,
          args: ["sleep", "3600"],
          resources: { requests: { cpu: "5m", memory: "16Mi" }, limits: { memory: "64Mi" } },
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ["ALL"] },
          },
        },
      ],
    },
  };
}

/**
 * Starts such a pod.
 * @param image with a shell, nc and getent
 * @throws Error when it does not run within a minute
 */
export async function startCaller(
  config: KubeConfig,
  namespace: string,
  labels: Record<string, string>,
  image: string,
): Promise<Caller> {
  const core = config.makeApiClient(CoreV1Api);
  const body = manifest(`caller-${Date.now().toString(36)}`, labels, image);
  const name = body.metadata?.name ?? "";
  await core.createNamespacedPod({ namespace, body });
  for (let tries = 0; ; tries += 1) {
    const { status } = await core.readNamespacedPod({ namespace, name });
    if (status?.phase === "Running") break;
    if (tries === 60) throw new Error(`${namespace}/${name} is ${status?.phase} after a minute`);
    await sleep(1000);
  }
  const at = { namespace, pod: name, container: "caller" };
  const succeeds = async (command: string) => {
    const running = await startScript(config, at, command);
    running.stdout.resume();
    return running.ended.then(
      () => true,
      () => false,
    );
  };
  return { namespace, name, succeeds };
}

export async function endCaller(config: KubeConfig, { namespace, name }: Caller): Promise<void> {
  await config.makeApiClient(CoreV1Api).deleteNamespacedPod({ namespace, name });
}
