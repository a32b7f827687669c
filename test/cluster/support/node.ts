import { existsSync } from "node:fs";
import { layout } from "../../../local/node/layout.ts";

/** Whether the stack runs on the node that `npm start` builds, which some tests take in hand. */
export const isOurNode = existsSync(layout.containerdSocket);

/** Ends the title of a test that is skipped on any other cluster. */
export const whySkipped = isOurNode
  ? ""
  : " (skipped: the cluster is not the node that npm start builds)";
