import { CannotRun } from "../errors.ts";
import { connect } from "./client.ts";
import type { Forward } from "../../infra/observe/forward.ts";
import { loadKubeConfig } from "../../infra/observe/kubeconfig.ts";
import { forwardToService, parseServicePort } from "../../infra/observe/service.ts";
import { checkIdentity, ensureTree } from "./tree.ts";

export interface TreeOptions {
  name: string;
  description: string;
  address?: string;
  portForward?: string;
  context?: string;
  timeout: number;
}

/**
 * `anchorhold tree create`: prints {"treeId":"…"} and nothing else on standard output. Run again
 * it prints the same id. The process may be killed anywhere.
 */
export async function createTree(
  options: TreeOptions,
  print: (line: string) => void,
): Promise<void> {
  checkIdentity(options);
  const forward = await open(options);
  const trillian = connect(forward.address);
  try {
    const treeId = await ensureTree(trillian, options, {
      limitMs: options.timeout * 1000,
      pauseMs: 1000,
    });
    print(JSON.stringify({ treeId }));
  } finally {
    trillian.close();
    forward.close();
  }
}

async function open({ address, portForward, context }: TreeOptions): Promise<Forward> {
  if ((address === undefined) === (portForward === undefined)) {
    throw new CannotRun(
      "Give either --address HOST:PORT or --port-forward NAMESPACE/SERVICE:PORT, and not both.",
    );
  }
  if (portForward !== undefined) {
    const target = parseServicePort(portForward);
    return forwardToService(loadKubeConfig({ context }), target);
  }
  if (address === undefined || !/^.+:\d{1,5}$/.test(address)) {
    throw new CannotRun(`--address "${address ?? ""}" is not of the form HOST:PORT.`);
  }
  return { address, close: () => {} };
}
