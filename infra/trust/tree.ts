import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { trustOptions } from "./record.ts";

/** How the program reaches Trillian's log server. */
export type TreeAccess =
  | { type: "portForward"; service: string; port: number; context: string | undefined }
  | { type: "given"; address: string };

export interface TrillianTreeArgs {
  /** At most 20 characters: Trillian's column is no wider. */
  displayName: string;
  /** Found again by this after a lost reply; no other tree has it. */
  description: pulumi.Input<string>;
  access: TreeAccess;
}

function accessFlags(access: TreeAccess): string {
  switch (access.type) {
    case "portForward":
      return (
        `--port-forward ${access.service}:${access.port}` +
        (access.context === undefined ? "" : ` --context '${access.context}'`)
      );
    case "given":
      return `--address ${access.address}`;
  }
}

/**
 * A Trillian tree, found or made once. Any changed input of a Command runs it again, so all are
 * ignored after the first time: a tree is never made twice, and `protect` keeps it from replacement.
 */
export class TrillianTree extends pulumi.ComponentResource {
  /** Decimal int64, a string because JavaScript's numbers are too short for it. */
  readonly treeId: pulumi.Output<string>;

  constructor(name: string, args: TrillianTreeArgs, opts?: pulumi.ComponentResourceOptions) {
    super("anchorhold:trust:TrillianTree", name, {}, opts);
    const create = new command.local.Command(
      `${name}-create`,
      {
        create:
          `node cli/main.ts tree create --name "$TREE_NAME" ` +
          `--description "$TREE_DESCRIPTION" ${accessFlags(args.access)}`,
        environment: { TREE_NAME: args.displayName, TREE_DESCRIPTION: args.description },
      },
      { parent: this, ...trustOptions, ignoreChanges: ["create", "environment"] },
    );
    this.treeId = create.stdout.apply((text) => (JSON.parse(text) as { treeId: string }).treeId);
    this.registerOutputs({ treeId: this.treeId });
  }
}
