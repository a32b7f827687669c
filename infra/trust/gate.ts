import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { toEnvironment } from "../observe/expectation.ts";
import { observationSchema, type Observation } from "./stamps.ts";

type Fact = pulumi.Input<string>;

export interface GateArgs {
  /**
   * What every replica must serve before the update goes on, in the form of `expectationSchema`;
   * public facts alone.
   */
  expected: Facts;
}

/** Facts by name, some of them known only when the update makes them. */
export interface Facts {
  readonly [name: string]: Fact | Facts | undefined;
}

const isFact = (value: Fact | Facts): value is Fact =>
  typeof value === "string" || pulumi.Output.isInstance(value) || value instanceof Promise;

/**
 * Waits until every replica serves what is expected, by asking each of them; a pod that is ready
 * proves nothing about its content. What depends on a gate is not touched before. A changed
 * expectation is a new wait, so an update that was killed here waits again.
 */
export class Gate extends pulumi.ComponentResource {
  /** When it was seen, and how far the logs were then. */
  readonly seen: pulumi.Output<Observation>;

  constructor(name: string, args: GateArgs, opts?: pulumi.ComponentResourceOptions) {
    super("anchorhold:trust:Gate", name, {}, opts);
    const wait = new command.local.Command(
      `${name}-observe`,
      {
        create: "node cli/main.ts observe",
        environment: toEnvironment<Fact>(args.expected, isFact),
        addPreviousOutputInEnv: false,
      },
      { parent: this, protect: true, customTimeouts: { create: "10m", update: "10m" } },
    );
    this.seen = wait.stdout.apply((text) => observationSchema.parse(JSON.parse(text)));
    this.registerOutputs();
  }
}
