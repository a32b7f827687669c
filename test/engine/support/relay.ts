import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { RunResult } from "../../../local/pulumi/run.ts";
import type { Engine } from "./engine.ts";

/** What was asked of Pulumi, and what it answered. */
export interface Relayed extends RunResult {
  args: string[];
}

/** Lets a command of the CLI that starts Pulumi reach an engine of this process. */
export class PulumiRelay {
  readonly calls: Relayed[] = [];
  private readonly server: Server;

  private constructor(engine: Engine) {
    this.server = createServer((request, response) => {
      void (async () => {
        const args = (await json(request)) as string[];
        const result = await engine.pulumi(args);
        this.calls.push({ args, ...result });
        response.end(JSON.stringify(result));
      })();
    });
  }

  static async open(engine: Engine): Promise<PulumiRelay> {
    const relay = new PulumiRelay(engine);
    await new Promise<void>((done) => relay.server.listen(0, "127.0.0.1", done));
    return relay;
  }

  /** The value of ANCHORHOLD_PULUMI. */
  get command(): string {
    const { port } = this.server.address() as AddressInfo;
    const program = fileURLToPath(new URL("./relayed.ts", import.meta.url));
    return `${process.execPath} ${program} http://127.0.0.1:${port}`;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}
