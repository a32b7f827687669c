import { createWriteStream, existsSync, renameSync, rmSync, statSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { lastCheckpoints } from "../../infra/preflight/stack.ts";
import { memoryOf } from "../../infra/trust/memory.ts";
import type { Checkpoints } from "../../infra/trust/stamps.ts";
import { assertOwnCluster, targetOf, type Target } from "../cluster.ts";
import { CannotRun, oneLine } from "../errors.ts";
import { logsOf, targetsOf } from "../logs.ts";
import { checkpoints } from "../observe/replicas.ts";
import { exportState, prefixOf, stashesOf, type State } from "../state.ts";
import { pack } from "./archive.ts";
import { findDatabase, startDump } from "./database.ts";
import type { Container } from "./exec.ts";
import { assertOwnDatabase } from "./external.ts";
import { backupPassphrase } from "./passphrase.ts";

export interface BackupOptions {
  stack?: string;
}

/**
 * `anchorhold backup FILE`: the stack's state and its logs' database in one encrypted file.
 *
 * The order makes it consistent: first the state, then the logs' signed checkpoints, then the dump.
 * So the dump has every tree and at least every entry that state and checkpoints speak of; what it
 * has beyond them does no harm.
 *
 * @throws CannotRun when something is missing, or the state changes meanwhile; no file is left then
 */
export async function backup(
  file: string,
  { stack }: BackupOptions,
  print: (text: string) => void,
): Promise<void> {
  const passphrase = backupPassphrase();
  if (existsSync(file))
    throw new CannotRun(`${file} exists; nothing was written. Name another file.`);
  const started = performance.now();
  const [state, target] = await Promise.all([exportState(stack), targetOf(stack)]);
  assertOwnCluster(state, target);
  assertOwnDatabase(state);
  const prefix = prefixOf(state);
  const database = await findDatabase(target.config, prefix);
  if (database === undefined)
    throw new CannotRun(
      "The database's pod is not ready; nothing was written. See anchorhold doctor.",
    );
  const known = await ask(state, target, prefix, print);
  const draft = `${file}.partial`;
  try {
    const dump = dumpOf(target, database);
    const packed = pack({ created: new Date(), checkpoints: known, state, dump }, passphrase);
    await pipeline(packed, createWriteStream(draft, { mode: 0o600, flags: "wx" }));
    assertSame(state, await exportState(stack));
    renameSync(draft, file);
  } finally {
    rmSync(draft, { force: true });
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  print(`${file}: ${statSync(file).size} bytes in ${seconds} s`);
  for (const [name, { size, rootHash }] of Object.entries(known))
    print(`  ${name}: ${size} entries, root ${rootHash.slice(0, 12)}`);
  print(
    "Keep it apart from its passphrase and from what decrypts the stack's secrets: docs/backup.md",
  );
}

/** The logs' checkpoints; where a log does not answer, the last one that was recorded. */
async function ask(
  state: State,
  { config }: Target,
  prefix: string,
  print: (text: string) => void,
): Promise<Checkpoints> {
  const memory = memoryOf(stashesOf(state));
  const targets = targetsOf(logsOf(memory), prefix);
  const asked = await Promise.all(
    targets.map((log) =>
      checkpoints(config, [log]).catch((error: unknown) => {
        print(
          `Warning: ${log.name} does not answer (${oneLine(error)}); its last record is noted.`,
        );
        return {};
      }),
    ),
  );
  return Object.assign({}, lastCheckpoints(memory), ...asked) as Checkpoints;
}

async function* dumpOf({ config }: Target, database: Container): AsyncGenerator<Buffer> {
  const running = await startDump(config, database);
  try {
    for await (const chunk of running.stdout) yield chunk as Buffer;
    await running.ended;
  } catch (error) {
    throw new CannotRun(
      `The database could not be dumped (${oneLine(error)}); nothing was written.`,
    );
  } finally {
    running.close();
  }
}

/** An update meanwhile would have made keys or trees that only one half of the backup knows. */
function assertSame(before: State, after: State): void {
  if (before.deployment.manifest?.time === after.deployment.manifest?.time) return;
  throw new CannotRun("The stack was updated meanwhile; nothing was written. Run it again.");
}
