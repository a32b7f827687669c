// What we do with kind, around it: Docker and kind are stand-ins here, which note what they are
// called with; the API server that their cluster has is a real one, of the test's own.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { kindConfig } from "../../local/kind/config.ts";
import { committedPorts } from "../../local/stack/committed.ts";
import { deployer } from "../../local/node/layout.ts";
import { startApiServer, type ApiServer } from "./support/apiServer.ts";

const project = resolve(import.meta.dirname, "../..");
const image = {
  name: "fulcio",
  reference: "localhost/anchorhold/fulcio:1",
  archive: "/fulcio.tar",
};

let server: ApiServer;
let folder: string;

const docker = `
case "$1 $2" in
  "version --format") echo 28.2.2 ;;
  "container inspect") cat state ;;
  "start anchorhold-control-plane") echo true > state ;;
  "stop anchorhold-control-plane") echo false > state ;;
  "exec anchorhold-control-plane") cat images ;;
  *) exit 1 ;;
esac`;
const kind = `
case "$1 $2" in
  "create cluster") cp "$6" config.yaml && echo true > state ;;
  "get kubeconfig") cat kubeconfig ;;
  "load image-archive") echo ${image.reference} >> images ;;
  "delete cluster") rm state ;;
  *) exit 1 ;;
esac`;

/** A stand-in that notes its arguments, but for those that only ask. */
async function program(name: string, script: string): Promise<void> {
  const note = `case "$1 $2" in version*|container*|exec*|get*) ;; *) echo "${name} $*" >> calls ;; esac`;
  const lines = ["#!/bin/sh", `cd ${folder}`, note, script, ""];
  await writeFile(join(folder, "bin", name), lines.join("\n"), { mode: 0o755 });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "anchorhold-kind-"));
  await mkdir(join(folder, "bin"));
  await mkdir(join(folder, "home"));
  await symlink(process.execPath, join(folder, "bin", "node"));
  await Promise.all([program("docker", docker), program("kind", kind)]);
  await writeFile(join(folder, "images"), "");
  await writeFile(
    join(folder, "home", "choices.json"),
    JSON.stringify({ rungs: { cluster: "kind" } }),
  );
  server = await startApiServer();
  const view = ["config", "view", "--raw", "--flatten"];
  await writeFile(join(folder, "kubeconfig"), (await server.kubectl(view)).stdout);
});
afterAll(async () => {
  await server?.close();
  await rm(folder, { recursive: true });
});

/** Runs Node as on a machine with these two programs. */
async function node(...args: string[]): Promise<string> {
  const child = spawn(process.execPath, args, {
    cwd: project,
    env: {
      PATH: `${join(folder, "bin")}:/usr/bin:/bin`,
      HOME: folder,
      ANCHORHOLD_HOME: join(folder, "home"),
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const closed = new Promise((ended) => child.on("close", ended));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  expect({ code: await closed, stderr: (await closed) === 0 ? "" : stderr }).toEqual({
    code: 0,
    stderr: "",
  });
  return `${stdout}${stderr}`;
}

/** Starts the cluster as `npm start` does, and makes who deploys. */
const start = () =>
  node(
    "--input-type=module-typescript",
    "--eval",
    `import { startKind } from ${JSON.stringify(join(project, "local/kind/index.ts"))};
    import { makeDeployer } from ${JSON.stringify(join(project, "local/stack/deployer.ts"))};
    import { committedPorts } from ${JSON.stringify(join(project, "local/stack/committed.ts"))};
    const { kubeconfig } = await startKind(committedPorts(), [${JSON.stringify(image)}], console.log);
    const own = await makeDeployer(kubeconfig, { prefix: "sample", rekor: [1] });
    console.log("deploys as " + JSON.parse(own).users[0].name);`,
  );

/** What was done since the last time. */
async function calls(): Promise<string[]> {
  const file = join(folder, "calls");
  const lines = existsSync(file) ? (await readFile(file, "utf8")).trim().split("\n") : [];
  await rm(file, { force: true });
  return lines;
}

test("the first start makes the cluster, opens the keys of its tokens, and loads images", async () => {
  const said = await start();
  const [create, ...rest] = await calls();
  const kubeconfig = join(folder, "home", "kind.kubeconfig");
  expect(create).toMatch(/^kind create cluster --name anchorhold --config \S+kind\.yaml /);
  expect(create).toContain(` --kubeconfig ${kubeconfig} --wait `);
  expect(rest).toEqual([`kind load image-archive ${image.archive} --name anchorhold`]);
  expect(await readFile(join(folder, "config.yaml"), "utf8")).toBe(kindConfig(committedPorts()));
  expect((await stat(kubeconfig)).mode & 0o777).toBe(0o600);
  expect(existsSync(join(folder, ".kube"))).toBe(false);

  const binding = "clusterrolebinding/anchorhold:service-account-issuer-discovery";
  const { stdout } = await server.kubectl([
    "get",
    binding,
    "--output=jsonpath={.subjects[0].name}",
  ]);
  expect(stdout).toBe("system:unauthenticated");
  const account = ["get", "serviceaccount", deployer.name, "--namespace", deployer.namespace];
  expect((await server.kubectl(account)).code).toBe(0);
  expect(said).toContain(`deploys as ${deployer.name}\n`);
});

test("a second start changes nothing", async () => {
  await start();
  expect(await calls()).toEqual([]);
});

test("npm run down stops the node, and the next start goes on with it", async () => {
  expect(await node("local/cli.ts", "down")).toContain("kind: stopped; cluster and volumes stay");
  expect(await calls()).toEqual(["docker stop anchorhold-control-plane"]);
  await start();
  expect(await calls()).toEqual(["docker start anchorhold-control-plane"]);
});

test("with --purge, the cluster is deleted", async () => {
  const said = await node("local/cli.ts", "down", "--purge");
  expect(said).toContain("kind: cluster and volumes deleted");
  expect(await calls()).toEqual([
    `kind delete cluster --name anchorhold --kubeconfig ${join(folder, "home", "kind.kubeconfig")}`,
  ]);
  expect(existsSync(join(folder, "home", "kind.kubeconfig"))).toBe(false);
  expect(existsSync(join(folder, "home", "choices.json"))).toBe(false);
});
