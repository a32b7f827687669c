import { existsSync } from "node:fs";
import { layout } from "../../../local/node/layout.ts";
import { kubeconfigFile } from "../../../local/stack/environment.ts";

/** Whether the stack runs on the node that `npm start` builds, which some tests take in hand. */
export const isOurNode = existsSync(layout.containerdSocket);

/** Ends the title of a test that is skipped on any other cluster. */
export const whySkipped = isOurNode
  ? ""
  : " (skipped: the cluster is not the node that npm start builds)";

/** The administrator's of a node of ours; on another cluster the one that deploys is all there is. */
export const adminKubeconfig = (): string =>
  existsSync(layout.kubeconfig) ? layout.kubeconfig : kubeconfigFile;
