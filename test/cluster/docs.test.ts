// The commands of the documents, as they stand there, on the running stack.
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cacheDir, homeDir } from "../../local/paths.ts";
import { layout } from "../../local/node/layout.ts";
import { makeDeployer } from "../../local/stack/deployer.ts";
import { configuredSpaces } from "../../local/stack/stackFile.ts";
import { ensureTools } from "../../local/tools/index.ts";
import { runnable } from "../support/commandBlocks.ts";
import { adminKubeconfig, isOurNode, whySkipped } from "./support/node.ts";
import { describeStack, mustRun, projectRoot } from "./support/stack.ts";

const quiet = () => undefined;

/** Programs that the documents name, as this checkout has them. */
const ours: Record<string, string> = {
  anchorhold: "node local/cli.ts anchorhold",
  pulumi: "node local/cli.ts pulumi",
};

/** The namespaces of docs/images.md, whose stack has the prefix `sigstore`. */
const example = ["trillian", "ctlog", "rekor-1", "tuf", "tsa", "fulcio"].map(
  (part) => `sigstore-${part}`,
);

await describeStack("the commands of the documents", () => {
  let home: string;
  let env: NodeJS.ProcessEnv;
  let core: CoreV1Api;

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), "anchorhold-docs-"));
    const bin = join(home, "bin");
    await mkdir(join(home, ".docker"), { recursive: true });
    await mkdir(bin);
    for (const [name, command] of Object.entries(ours)) {
      await writeFile(join(bin, name), `#!/bin/sh\ncd ${projectRoot}\nexec ${command} "$@"\n`);
      await chmod(join(bin, name), 0o755);
    }
    const auths = { "registry.example.com": { auth: "bm9ib2R5Om5vdGhpbmc=" } };
    await writeFile(join(home, ".docker", "config.json"), JSON.stringify({ auths }));
    const { kubernetes = "" } = await ensureTools(["kubernetes"], quiet);
    const path = [bin, join(projectRoot, "node_modules", ".bin"), dirname(kubernetes)];
    env = {
      ...process.env,
      HOME: home,
      ANCHORHOLD_HOME: homeDir,
      ANCHORHOLD_CACHE: cacheDir,
      KUBECONFIG: adminKubeconfig(),
      PATH: [...path, process.env["PATH"] ?? ""].join(delimiter),
    };
    const config = new KubeConfig();
    config.loadFromFile(adminKubeconfig());
    core = config.makeApiClient(CoreV1Api);
    for (const name of example) await core.createNamespace({ body: { metadata: { name } } });
  });

  afterAll(async () => {
    for (const name of example) await core.deleteNamespace({ name });
    // docs/rbac.md has given the stack to another identity.
    if (isOurNode) await makeDeployer(layout.kubeconfig, configuredSpaces());
    await rm(home, { recursive: true });
    for (const name of ["rbac.yaml", "admission.yaml"])
      await rm(join(projectRoot, name), { force: true });
  });

  // Somebody else's cluster keeps its bindings.
  const shown = runnable().filter(({ file }) => isOurNode || file !== "docs/rbac.md");
  if (!isOurNode) test.skip(`docs/rbac.md${whySkipped}`);

  test.each(shown.map((block) => [block.file, block.text.split("\n")[0], block] as const))(
    "%s: %s",
    async (_, __, { text }) => {
      await mustRun("sh", ["-e", "-c", text], { cwd: projectRoot, env, limitMs: 300_000 });
    },
  );

  test("what they were to make is there", async () => {
    for (const namespace of example) {
      const { type } = await core.readNamespacedSecret({ namespace, name: "registry-login" });
      expect(type).toBe("kubernetes.io/dockerconfigjson");
    }
  });
});
