import { AppsV1Api, CoreV1Api } from "@kubernetes/client-node";
import { confirm } from "../ask.ts";
import { unpack, type Backup } from "../backup/archive.ts";
import { assertRestorable } from "../backup/external.ts";
import { backupPassphrase } from "../backup/passphrase.ts";
import { targetOf, type Target } from "../cluster.ts";
import { CannotRun } from "../errors.ts";
import { exportState, importState, namespacesOf, prefixOf } from "../state.ts";
import { verify } from "../verify/command.ts";
import { deployAndLoad } from "./deploy.ts";
import { planRestore } from "./plan.ts";

export interface RestoreOptions {
  stack?: string;
  /** Go ahead without asking. */
  yes: boolean;
  /** The user's statement that the logs took nothing after the backup was made. */
  nothingSignedSince: boolean;
}

/**
 * `anchorhold restore FILE`: the same Sigstore in another cluster, from a backup. It may be broken
 * off anywhere and run again.
 *
 * @returns whether `verify` found the restored stack as its records say; false too when nobody agreed
 * @throws CannotRun with what is in the way
 */
export async function restore(
  file: string,
  options: RestoreOptions,
  print: (text: string) => void,
): Promise<boolean> {
  const { stack } = options;
  const passphrase = backupPassphrase();
  await assertRestorable(stack);
  const { manifest, state, bytes } = await readThrough(file, passphrase);
  const [current, target] = await Promise.all([exportState(stack), targetOf(stack)]);
  const spaces = [...new Set([state, current].flatMap(namespacesOf))];
  const cluster = { uid: target.uid, occupied: await occupied(target, spaces) };
  const plan = planRestore({ backup: { manifest, state }, current, cluster });
  print(`${file}, made at ${manifest.created}: the dump has ${bytes} bytes. It ends with`);
  for (const [name, { size, rootHash }] of Object.entries(manifest.checkpoints))
    print(`  ${name}: ${size} entries or a little more, root ${rootHash.slice(0, 12)}`);
  if (!(await agreed(options, print))) return false;
  if (plan.state !== undefined) {
    await importState(stack, plan.state);
    print("The state is in place: keys, records and tree ids are the backup's.");
  }
  const dump = async () => (await unpack(file, passphrase)).dump;
  const load = { config: target.config, prefix: prefixOf(state), dump, marks: plan.marks };
  await deployAndLoad(stack, load, print);
  return await verify(
    { ...(stack === undefined ? {} : { stack }), json: false, timeout: 30 },
    print,
  );
}

/** Reads the whole file: only its end tells that nothing of it is missing. */
async function readThrough(
  file: string,
  passphrase: string,
): Promise<Omit<Backup, "dump"> & { bytes: number }> {
  const { dump, ...rest } = await unpack(file, passphrase);
  let bytes = 0;
  for await (const chunk of dump) bytes += chunk.length;
  return { ...rest, bytes };
}

/** Those of the namespaces that hold anything of a stack; an empty one may be there before it. */
async function occupied({ config }: Target, names: readonly string[]): Promise<string[]> {
  const core = config.makeApiClient(CoreV1Api);
  const apps = config.makeApiClient(AppsV1Api);
  const holds = async (namespace: string) => {
    const lists = await Promise.all([
      apps.listNamespacedDeployment({ namespace }),
      core.listNamespacedPersistentVolumeClaim({ namespace }),
      core.listNamespacedSecret({ namespace, labelSelector: "owner=helm" }),
    ]);
    return lists.some(({ items }) => items.length > 0) ? [namespace] : [];
  };
  return (await Promise.all(names.map(holds))).flat();
}

const warning =
  "What the logs took after that is lost. If it was anything at all, then who saw it holds proofs " +
  "that the restored logs contradict: restore a newer backup instead.";

async function agreed(
  { yes, nothingSignedSince }: RestoreOptions,
  print: (text: string) => void,
): Promise<boolean> {
  if (!nothingSignedSince) print(warning);
  if (!nothingSignedSince && !(await confirm("Was nothing signed after that?"))) {
    if (yes)
      throw new CannotRun(
        "Nothing was changed. If nothing was signed after the backup, state it with " +
          "--nothing-signed-since.",
      );
    print("Nothing was changed.");
    return false;
  }
  if (yes || (await confirm("Restore now?"))) return true;
  print("Nothing was changed. To restore: anchorhold restore --yes --nothing-signed-since FILE");
  return false;
}
