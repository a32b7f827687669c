import type { StackOutputs } from "../../infra/outputs.ts";

/** The Secret with the first root, for a policy-controller that has the stack's mirror as its own. */
export interface ControllerRoot {
  apiVersion: "v1";
  kind: "Secret";
  metadata: { name: string; namespace: string };
  data: { root: string };
}

/**
 * The Secret that policy-controller's own Deployment mounts as /var/run/tuf/root.json. It holds
 * nothing secret.
 */
export function controllerRoot(
  { initialRoot }: Pick<StackOutputs, "initialRoot">,
  namespace: string,
): ControllerRoot {
  const root = Buffer.from(initialRoot).toString("base64");
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "tuf-root", namespace },
    data: { root },
  };
}

/** The flags that go with it. */
export const controllerFlags = (mirror: string): string[] => [
  `--tuf-mirror=${mirror}`,
  "--tuf-root=/var/run/tuf/root.json",
];
