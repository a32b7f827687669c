import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { refOf } from "../../../local/pulumi/kubernetes/cluster.ts";
import { repository, type ProgramUnderTest } from "./stack.ts";

/**
 * Runs `anchorhold recover --yes` as a user does, removes what it asks a person to remove, and runs
 * it again, when it must find nothing to do.
 */
export async function recover({ engine, kubeconfig }: ProgramUnderTest): Promise<void> {
  const run = async (): Promise<string> => {
    const env = { ...process.env, ...engine.environment, KUBECONFIG: kubeconfig };
    const args = ["cli/main.ts", "recover", "--yes"];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: repository, env });
    return stdout;
  };
  for (const [, kind = "", namespace = "", name = ""] of (await run()).matchAll(
    /kubectl delete (\S+) --namespace (\S+) (\S+)/g,
  )) {
    const object = engine.cluster.all().find((one) => {
      const ref = refOf(one);
      const isKind = ref.kind.toLowerCase() === kind;
      return isKind && ref.namespace === namespace && ref.name === name;
    });
    if (object === undefined) throw new Error(`${kind} ${namespace}/${name} is not there`);
    await engine.cluster.delete(refOf(object));
  }
  const second = await run();
  if (!second.startsWith("Nothing to do")) throw new Error(`recover did not recover: ${second}`);
}
