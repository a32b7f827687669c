import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { trustAlso } from "../../infra/observe/network.ts";
import { allChecks, runChecks } from "./index.ts";
import type { Context } from "./finding.ts";
import { openMirror } from "../../infra/observe/mirror.ts";
import { readOutputs } from "./outputs.ts";
import { summarize, toJson, toTable } from "./report.ts";
import { once } from "./signing.ts";
import { identityToken } from "./token.ts";

export interface VerifyOptions {
  stack?: string;
  outputs?: string;
  identityTokenFile?: string;
  json: boolean;
  /** Seconds for one check. */
  timeout: number;
}

/** `anchorhold verify`: prints the findings; true when no check failed. */
export async function verify(
  options: VerifyOptions,
  print: (text: string) => void,
): Promise<boolean> {
  const outputs = await readOutputs({ file: options.outputs, stack: options.stack });
  trustAlso(outputs.mirror.caBundle);
  const directory = await mkdtemp(join(tmpdir(), "anchorhold-verify-"));
  const mirror = once(() =>
    openMirror({ ...outputs.mirror, initialRoot: outputs.initialRoot }, directory),
  );
  const token = once(() =>
    identityToken(
      { file: options.identityTokenFile, variable: process.env.SIGSTORE_ID_TOKEN },
      outputs,
    ),
  );
  const context: Omit<Context, "signal"> = {
    outputs,
    mirror: () => mirror(undefined),
    identityToken: () => token(undefined),
    now: new Date(),
  };
  try {
    // A file that the user named must be there; any other lack of a token is a finding.
    if (options.identityTokenFile !== undefined) await token(undefined);
    const findings = await runChecks(allChecks(outputs), context, options.timeout * 1000);
    print(options.json ? toJson(findings) : toTable(findings));
    return summarize(findings).passed;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
