// The running stack's keys and passwords are looked for in everything that it has written, and in
// every process of this machine while Pulumi works on it.
import { beforeAll, expect, test } from "vitest";
import { loadKubeConfig } from "../../infra/observe/kubeconfig.ts";
import { meantFor } from "../support/keySearch/meant.ts";
import { ProcessWatch } from "../support/keySearch/processes.ts";
import { judge, KeySearch, type Place } from "../support/keySearch/search.ts";
import { secretsOf, type ExportedResources } from "../support/keySearch/secrets.ts";
import { adminKubeconfig, isOurNode, whySkipped } from "./support/node.ts";
import { filesOfNode, logsOf, objectsOf } from "./support/searched.ts";
import { describeStack, mustRun, projectRoot, pulumi, readOutputs } from "./support/stack.ts";

await describeStack("keys stay put", (stack) => {
  let search: KeySearch;
  let processes: Place[];
  const said: Place[] = [];

  /** What Pulumi says is searched too. */
  async function run(...args: string[]): Promise<void> {
    const { code, stdout, stderr } = await pulumi(...args);
    expect(code, stderr).toBe(0);
    for (const [stream, text] of Object.entries({ stdout, stderr }))
      said.push({ where: `${stream} of pulumi ${args.join(" ")}`, bytes: Buffer.from(text) });
  }

  beforeAll(async () => {
    const { stdout } = await pulumi("stack", "export", "--show-secrets");
    search = new KeySearch(secretsOf(JSON.parse(stdout) as ExportedResources));
    const watch = await ProcessWatch.start();
    await run("preview", "--diff");
    await run("up", "--yes", "--skip-preview", "--diff");
    await run("refresh", "--yes", "--skip-preview", "--diff");
    await mustRun(process.execPath, ["local/cli.ts", "anchorhold", "verify"], { cwd: projectRoot });
    processes = await watch.stop();
  });

  test.skipIf(!isOurNode)(
    `nothing but the Secrets that are meant for it has a secret${whySkipped}`,
    async () => {
      const config = loadKubeConfig({ kubeconfig: adminKubeconfig() });
      const objects = await objectsOf(config);
      const logs = await logsOf(config, stack.outputs.prefix);
      const files = [...filesOfNode()];
      for (const [what, places] of Object.entries({ objects, logs, files, processes, said }))
        console.log(`${places.length} ${what}, ${sizeOf(places)} MB`);
      const hits = search.search([...objects, ...logs, ...files, ...processes, ...said]);
      expect(judge(hits, meantFor(await readOutputs()))).toEqual({ leaks: [], unused: [] });
    },
  );

  test.skipIf(!isOurNode)(`the containers' processes were among them${whySkipped}`, () => {
    const names = new Set(processes.map(({ where }) => /of (\S+) \(/.exec(where)?.[1]));
    for (const name of ["fulcio", "ct_server", "rekor-server", "trillian_log_se", "mariadbd"])
      expect(names).toContain(name);
  });
});

const sizeOf = (places: readonly Place[]): string =>
  (places.reduce((sum, { bytes }) => sum + bytes.length, 0) / 1e6).toFixed(1);
