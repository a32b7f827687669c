// Our configuration of a kind cluster, read by kind itself as far as that goes without Docker: it
// decodes the file, strictly, before it asks the container runtime for the first time.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { kindConfig, kindVersion, nodeImage } from "../../local/kind/config.ts";
import { committedPorts } from "../../local/stack/committed.ts";
import { ensureProgram, moduleSource } from "../../local/tools/gobuild.ts";
import { kind } from "../../local/tools/programs.ts";

let folder: string;
let program: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "anchorhold-kind-"));
  program = await ensureProgram(kind, () => undefined);
});
afterAll(() => rm(folder, { recursive: true }));

/** What kind says when it is to make a cluster where no container runtime can be. */
async function create(config: string): Promise<string> {
  const file = join(folder, "kind.yaml");
  await writeFile(file, config);
  const args = ["create", "cluster", "--config", file, "--kubeconfig", join(folder, "kubeconfig")];
  const env = { PATH: folder, HOME: folder, KIND_EXPERIMENTAL_PROVIDER: "docker" };
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8", env });
  expect(status).not.toBe(0);
  return `${stdout}${stderr}`;
}

test("kind takes the configuration, and stops only at the runtime that is not there", async () => {
  const said = await create(kindConfig(committedPorts()));
  expect(said).toMatch(/ERROR: failed to create cluster: .*docker/);
  expect(said).not.toMatch(/config|yaml/i);
});

test("it would not take a field that it does not know", async () => {
  const said = await create(
    kindConfig(committedPorts()).replace("extraPortMappings", "extraPorts"),
  );
  expect(said).toMatch(/field extraPorts not found in type v1alpha4\.Node/);
});

test("the node image is the one that this kind was released with", async () => {
  expect(spawnSync(program, ["version"], { encoding: "utf8" }).stdout).toContain(
    `kind ${kindVersion} `,
  );
  const source = await moduleSource(kind, folder);
  const defaults = await readFile(join(source, "pkg/apis/config/defaults/image.go"), "utf8");
  expect(/^const Image = "(.*)"$/m.exec(defaults)?.[1]).toBe(nodeImage);
});
