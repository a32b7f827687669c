// Which rungs are taken on machines of different kinds. Docker, Podman, Pulumi and the hosts are
// stand-ins here: what they answer is all that choosing asks of them.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { nodeImage } from "../../../../local/kind/config.ts";
import type { Rungs } from "../../../../local/ladder/rungs.ts";
import {
  pluginNames,
  pluginRelease,
  pulumiRelease,
  type Release,
} from "../../../../local/downloads/releases.ts";
import { standInChart } from "../../../../local/ladder/chart.ts";
import { Machine } from "./support.ts";

let machine: Machine;
beforeEach(async () => {
  machine = await Machine.create();
});
afterEach(() => machine.close());

const publish = (release: Release) =>
  machine.publish(release.checksums, release.url.split("/").at(-1) ?? "");
const publishPlugins = () => pluginNames.map(pluginRelease).forEach(publish);

/** Docker that runs, with an image of the node or without. */
const docker = (hasImage: boolean) =>
  machine.program(
    "docker",
    `case "$1 $2" in
      "version --format") echo 28.2.2 ;;
      "image inspect") [ "$5" = ${nodeImage} ] && ${hasImage} ;;
      *) exit 1 ;;
    esac`,
  );

const officialPulumi = async (version = "v3.255.0") => {
  await machine.program("pulumi-language-nodejs", "exit 1");
  return await machine.program("pulumi", `echo ${version}`);
};

const lastRungs: Rungs = {
  pulumi: "build",
  plugins: "stand-in",
  cluster: "node",
  images: "built",
  chart: "stand-in",
};

describe("the command line and its plugins", () => {
  test("a machine with nothing builds the one and has stand-ins for the others", async () => {
    const { rungs, lines } = await machine.choose({ chart: "stand-in" });
    expect(rungs).toEqual(lastRungs);
    const [pulumi, plugins] = lines;
    expect(pulumi).toMatch(
      /^Pulumi: v3\.\d+\.\d+, built from its Go module \(no pulumi on PATH; http.*-checksums\.txt answers 404\)$/,
    );
    expect(plugins).toBe("Plugins: stand-ins, for the local stack alone");
  });

  test("an official one on PATH comes first, its plugins from where they are published", async () => {
    const path = await officialPulumi();
    publishPlugins();
    const { rungs, lines } = await machine.choose({ chart: "stand-in" });
    expect(rungs).toMatchObject({ pulumi: "path", plugins: "official" });
    expect(lines[0]).toBe(`Pulumi: ${path} v3.255.0, found on PATH`);
    expect(lines[1]).toBe("Plugins: the official ones");
  });

  test("plugins that are installed need no host", async () => {
    await officialPulumi();
    for (const name of pluginNames) {
      const folder = `plugins/resource-${name}-${pluginRelease(name).version}`;
      await mkdir(join(machine.folder, "pulumi-home", folder), { recursive: true });
    }
    expect((await machine.choose({ chart: "stand-in" })).rungs.plugins).toBe("official");
    const [half = "random"] = pluginNames;
    const partial = `plugins/resource-${half}-${pluginRelease(half).version}.partial`;
    await writeFile(join(machine.folder, "pulumi-home", partial), "");
    expect((await machine.choose({ chart: "stand-in" })).rungs.plugins).toBe("stand-in");
  });

  test("one that is too old, or lacks its language host, is passed over, and the line says so", async () => {
    const path = await officialPulumi("v3.218.0");
    const old = await machine.choose({ chart: "stand-in" });
    expect(old.rungs.pulumi).toBe("build");
    expect(old.lines[0]).toContain(`${path} is v3.218.0, older than 3.219`);
  });

  test("the official download comes before a build", async () => {
    publish(pulumiRelease());
    const { rungs, lines } = await machine.choose({ chart: "stand-in" });
    expect(rungs).toMatchObject({ pulumi: "download", plugins: "stand-in" });
    expect(lines[0]).toMatch(/^Pulumi: the official v3\.\S+, downloaded \(no pulumi on PATH\)$/);
    publishPlugins();
    expect((await machine.choose({ chart: "stand-in" })).rungs.plugins).toBe("official");
  });

  test("stand-ins can be had for a Pulumi on PATH without a language host", async () => {
    await machine.program("pulumi", "echo v3.250.0");
    const { rungs } = await machine.choose({
      pulumi: "path",
      plugins: "stand-in",
      chart: "stand-in",
    });
    expect(rungs).toMatchObject({ pulumi: "path", plugins: "stand-in" });
  });
});

describe("the cluster and its images", () => {
  test("Docker that runs and has kind's node image makes kind the cluster", async () => {
    await docker(true);
    const { rungs, lines } = await machine.choose({ chart: "stand-in", images: "built" });
    expect(rungs).toMatchObject({ cluster: "kind", images: "built" });
    expect(lines[2]).toBe("Cluster: kind, in docker 28.2.2");
  });

  test("Podman does where Docker's daemon does not run", async () => {
    await machine.program("docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1");
    await machine.program(
      "podman",
      `case "$1" in info) echo 4.3.1 ;; container) echo true ;; *) exit 1 ;; esac`,
    );
    const { lines } = await machine.choose({ chart: "stand-in", images: "built" });
    expect(lines[2]).toBe("Cluster: kind, in podman 4.3.1");
  });

  test("a client whose daemon does not run, or does not answer, is none", async () => {
    await machine.program("docker", "exit 1");
    const { rungs, lines } = await machine.choose({ chart: "stand-in" });
    expect(rungs).toMatchObject({ cluster: "node", images: "built" });
    expect(lines[2]).toBe(
      "Cluster: a node built here from package registries (docker does not run)",
    );
    await machine.program("docker", "exec sleep 60");
    const begun = performance.now();
    expect((await machine.choose({ chart: "stand-in" })).rungs.cluster).toBe("node");
    expect(performance.now() - begun).toBeLessThan(6_000);
  });

  test("a context is taken with the published images, which its nodes pull themselves", async () => {
    const options = { context: "somewhere", chart: "stand-in" } as const;
    const { rungs, context, lines } = await machine.choose(options);
    expect(rungs).toMatchObject({ cluster: "context", images: "published" });
    expect(context).toBe("somewhere");
    expect(lines[3]).toBe("Images: the published ones, by digest");
    const built = await machine.choose({ ...options, images: "built" });
    expect(built.rungs.images).toBe("built");
  });
});

describe("the chart", () => {
  const at = (path: string) => `http://${machine.address}${path}`;

  test("a repository that ANCHORHOLD_CHART names is taken when it answers", async () => {
    machine.served.set("/charts/index.yaml", "entries: {}");
    const env = { ANCHORHOLD_CHART: at("/charts/") };
    const { rungs, chart, lines } = await machine.choose({}, env);
    expect(rungs.chart).toBe("repository");
    expect(chart).toEqual({ chartRepository: at("/charts/") });
    expect(lines[4]).toBe(`Chart: scaffold from ${at("/charts/")}, as asked`);
    await expect(machine.choose({}, { ANCHORHOLD_CHART: at("/none") })).rejects.toThrow(
      /^--chart repository: .*none\/index\.yaml answers 404\. Let this machine reach it/,
    );
  });

  test("an OCI mirror is asked as a registry", async () => {
    machine.served.set("/v2/", "{}");
    const mirror = `oci://${machine.address}/helm`;
    const { chart } = await machine.choose({}, { ANCHORHOLD_CHART: mirror });
    expect(chart).toEqual({ chartRepository: mirror });
    expect(machine.asked).toContain("/v2/");
    machine.served.clear();
    await expect(machine.choose({}, { ANCHORHOLD_CHART: mirror })).rejects.toThrow(/answers 404/);
  });

  test("a folder has to have a chart in it", async () => {
    const env = { ANCHORHOLD_CHART: machine.folder };
    await expect(machine.choose({}, env)).rejects.toThrow(/has no Chart\.yaml/);
    await writeFile(join(machine.folder, "Chart.yaml"), "name: scaffold");
    const { chart } = await machine.choose({}, env);
    expect(chart).toEqual({ chartPath: machine.folder });
  });
});

describe("a later start", () => {
  test("does as before, though better rungs have come, and asks no host", async () => {
    await officialPulumi();
    await docker(true);
    publish(pulumiRelease());
    publishPlugins();
    await machine.before({ rungs: lastRungs, chartPath: standInChart, apiServerPort: 1 });
    const { rungs, lines } = await machine.choose();
    expect(rungs).toEqual(lastRungs);
    for (const line of lines) expect(line).toMatch(/, as before$/);
    expect(machine.asked).toEqual([]);
  });

  test("keeps a context, a chart repository and published images without being told again", async () => {
    machine.served.set("/charts/index.yaml", "entries: {}");
    const chartRepository = `http://${machine.address}/charts`;
    const rungs: Rungs = {
      ...lastRungs,
      cluster: "context",
      images: "published",
      chart: "repository",
    };
    await machine.before({ rungs, context: "somewhere", chartRepository });
    expect(await machine.choose()).toMatchObject({
      rungs,
      context: "somewhere",
      chart: { chartRepository },
    });
  });

  test("never hands a state from stand-ins to official plugins, or back", async () => {
    await officialPulumi();
    publishPlugins();
    await machine.before({ rungs: lastRungs, chartPath: standInChart });
    await expect(machine.choose({ plugins: "official" })).rejects.toThrow(
      /^--plugins official: This stack's state was made with the stand-ins .* nothing was changed\. `npm run down -- --purge`/,
    );
    await machine.before({ rungs: { ...lastRungs, pulumi: "path", plugins: "official" } });
    await expect(machine.choose({ plugins: "stand-in" })).rejects.toThrow(
      /^--plugins stand-in: This stack's state was made with the official plugins/,
    );
  });

  test("does not go on with stand-ins when the official ones have gone", async () => {
    await machine.before({
      rungs: { ...lastRungs, pulumi: "path", plugins: "official" },
      chartPath: standInChart,
    });
    await expect(machine.choose()).rejects.toThrow(
      /^Pulumi, for the official plugins: no pulumi on PATH; .*404\. Install Pulumi/,
    );
    await officialPulumi();
    await expect(machine.choose()).rejects.toThrow(
      /^Plugins: .*404\. This stack's state was made with the official plugins/,
    );
  });

  test("before rungs were written down, a Pulumi on PATH meant the official plugins", async () => {
    await machine.before({ chartPath: standInChart, apiServerPort: 1, images: {} });
    publish(pulumiRelease());
    publishPlugins();
    const { rungs } = await machine.choose();
    expect(rungs).toEqual({ ...lastRungs, pulumi: "download" });
    await officialPulumi();
    expect((await machine.choose()).rungs).toMatchObject({ pulumi: "path", plugins: "official" });
  });

  test("leaves the stack in its cluster", async () => {
    await docker(true);
    await machine.before({ rungs: lastRungs, chartPath: standInChart, apiServerPort: 1 });
    await expect(machine.choose({ cluster: "kind" })).rejects.toThrow(
      /^--cluster kind: This stack lives in the node built here and stays there: nothing was changed\. Take a backup/,
    );
    await machine.before({ rungs: { ...lastRungs, cluster: "kind" }, chartPath: standInChart });
    await machine.program("docker", "exit 1");
    await expect(machine.choose()).rejects.toThrow(
      /^Cluster: docker does not run\. This stack lives in kind's cluster/,
    );
  });

  test("does not quietly change to the stand-in when the chart's repository is silent", async () => {
    await machine.before({
      rungs: { ...lastRungs, chart: "repository" },
      chartRepository: `http://${machine.address}/charts`,
    });
    await expect(machine.choose()).rejects.toThrow(
      /^Chart: .*charts\/index\.yaml answers 404\. This stack was installed from there; `npm start -- --chart stand-in`/,
    );
    expect((await machine.choose({ chart: "stand-in" })).rungs.chart).toBe("stand-in");
  });
});
