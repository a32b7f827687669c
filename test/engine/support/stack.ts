import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "yaml";
import { TrillianStandIn } from "../../support/trillian.ts";
import { Engine } from "./engine.ts";

export const repository = resolve(import.meta.dirname, "../../..");

type Values = Record<string, unknown>;

/** The shipped local stack, with the stand-in chart and a Trillian at `address`. */
export function localConfig(address: string, changes: Values = {}): Values {
  const text = readFileSync(join(repository, "stacks", "Pulumi.local.yaml"), "utf8");
  const { config } = parse(text) as { config: Values };
  return {
    ...config,
    "anchorhold:chart": { path: "./local/chart/scaffold" },
    "anchorhold:treeAccess": { type: "given", address },
    ...Object.fromEntries(
      Object.entries(changes).map(([key, value]) => [`anchorhold:${key}`, value]),
    ),
  };
}

/** The program of this repository on the real engine, with a cluster and a Trillian in memory. */
export class ProgramUnderTest {
  readonly engine: Engine;
  readonly trillian: TrillianStandIn;
  private readonly address: string;

  private constructor(engine: Engine, trillian: TrillianStandIn, address: string) {
    this.engine = engine;
    this.trillian = trillian;
    this.address = address;
  }

  static async create(): Promise<ProgramUnderTest> {
    const trillian = new TrillianStandIn();
    const address = await trillian.listen();
    const engine = await Engine.create({
      project: repository,
      stack: "local",
      config: localConfig(address),
    });
    return new ProgramUnderTest(engine, trillian, address);
  }

  /** Replaces the configuration: the shipped one with these changes. */
  configure(changes: Values = {}): void {
    this.engine.setConfig(localConfig(this.address, changes));
  }

  async close(): Promise<void> {
    await this.engine.close();
    this.trillian.close();
  }
}
