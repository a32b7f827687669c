import { existsSync, globSync, readFileSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { LocalError } from "../../../local/errors.ts";
import { explainFailure } from "../../../local/tools/explain.ts";
import {
  ensureProgram,
  goMod,
  linkFlags,
  programDirectory,
  stagingModules,
} from "../../../local/tools/gobuild.ts";
import { limit } from "../../../local/tools/limit.ts";
import { ensureTools, toolNames } from "../../../local/tools/index.ts";
import { missingPackages } from "../../../local/tools/packages.ts";
import {
  enforcer,
  gitlabRunner,
  policyController,
  services,
  tools,
  type Program,
} from "../../../local/tools/programs.ts";
import { run } from "../../../local/tools/run.ts";

// Read once, when the module with the paths is loaded: nothing here touches the user's cache.
const cache = vi.hoisted(() => {
  const folder = `${process.env["TMPDIR"] ?? "/tmp"}/anchorhold-cache-${process.pid}`;
  process.env["ANCHORHOLD_CACHE"] = folder;
  return folder;
});
afterAll(() => rm(cache, { recursive: true, force: true }));

const silent = () => undefined;
const example: Program = {
  name: "example",
  module: "example.org/tool",
  version: "v1.2.3",
  package: "example.org/tool/cmd/example",
};

describe("programs", () => {
  test("have a Go version, and a package inside their module or a source of our own", () => {
    for (const program of [
      ...Object.values(tools),
      ...Object.values(services),
      enforcer,
      policyController,
    ] as Program[]) {
      expect(program.version).toMatch(/^v\d+\.\d+\.\d+$/);
      if (program.source) expect(existsSync(join(program.source, "main.go"))).toBe(true);
      else expect(program.package).toMatch(new RegExp(`^${program.module}(/|$)`));
    }
  });

  test("a version that is linked in is the module's version", () => {
    for (const program of [
      ...Object.values(tools),
      ...Object.values(services),
      enforcer,
      policyController,
    ] as Program[]) {
      const versions = Object.entries(program.variables ?? {}).filter(([name]) =>
        /version$/i.test(name),
      );
      for (const [, version] of versions) expect(version).toBe(program.version);
    }
  });

  test("what the checksum database does not know is held against sums of our own", () => {
    for (const line of enforcer.sums ?? [])
      expect(line).toMatch(/^\S+ v\S+ h1:[A-Za-z0-9+/]{43}=$/);
    expect(enforcer.sums).toHaveLength(4);
  });

  test("GitLab Runner's version is a commit's; what its stand-ins are for, each of them says", () => {
    expect(gitlabRunner.version).toMatch(/^v1\.11\.1-0\.\d{14}-[0-9a-f]{12}$/);
    for (const folder of Object.values(gitlabRunner.standIns ?? {})) {
      const files = globSync("**/*.go", { cwd: join(gitlabRunner.source ?? "", folder) });
      expect(files.length, folder).toBeGreaterThan(0);
      for (const file of files) {
        const text = readFileSync(join(gitlabRunner.source ?? "", folder, file), "utf8");
        expect(text, file).toMatch(/^\/\/ Package \w+ stands in for /);
      }
    }
  });

  test("Helm is Helm 3: the Kubernetes plugin embeds it", () => {
    expect(tools.helm.module).toBe("helm.sh/helm/v3");
  });
});

describe("the small module around a program", () => {
  test("staging modules are read from the module's own go.mod, and from nothing else there", () => {
    const text = [
      "require (",
      "\tk8s.io/api v0.0.0",
      ")",
      "replace (",
      "\tk8s.io/api => ./staging/src/k8s.io/api",
      "\tk8s.io/kubectl => ./staging/src/k8s.io/kubectl",
      "\texample.org/a => example.org/b v1.0.0",
      ")",
      "replace k8s.io/kms => ./staging/src/k8s.io/kms",
    ].join("\n");
    expect(stagingModules(text)).toEqual(["k8s.io/api", "k8s.io/kubectl", "k8s.io/kms"]);
  });

  test("requires the one module and replaces its staging modules", () => {
    expect(goMod(example, [])).toBe(
      "module build\n\ngo 1.26\n\nrequire example.org/tool v1.2.3\n\n",
    );
    expect(goMod({ ...example, staging: "v0.2.3" }, ["k8s.io/api"])).toContain(
      "\nreplace k8s.io/api => k8s.io/api v0.2.3\n",
    );
    expect(goMod({ ...example, replaces: { "example.org/part": "v4.5.6" } }, [])).toContain(
      "\nreplace example.org/part => example.org/part v4.5.6\n",
    );
    expect(goMod({ ...example, standIns: { "example.org/gone": "standins/gone" } }, [])).toContain(
      "\nreplace example.org/gone => ./standins/gone\n",
    );
    expect(goMod({ name: "own", version: "1", source: "own" }, [])).not.toContain("require");
  });

  test("variables are set by the linker", () => {
    expect(linkFlags(example)).toBe("-s -w");
    expect(linkFlags({ ...example, variables: { "a/b.C": "1", "a/b.D": "2" } })).toBe(
      "-s -w -X a/b.C=1 -X a/b.D=2",
    );
  });

  test("the cache folder names the version and changes with what goes into the build", () => {
    const folder = programDirectory(example);
    expect(folder).toMatch(/\/programs\/example\/v1\.2\.3-[0-9a-f]{16}$/);
    expect(programDirectory({ ...example })).toBe(folder);
    expect(programDirectory({ ...example, version: "v1.2.4" })).not.toBe(folder);
    expect(programDirectory({ ...example, variables: { "a.B": "c" } })).not.toBe(folder);
    expect(programDirectory({ ...example, package: "example.org/tool" })).not.toBe(folder);
  });

  test("the cache folder changes with our own source, not with where the checkout lies", async () => {
    const folders: string[] = [];
    for (const text of ["package main\n", "package main\n", "package main // other\n"]) {
      const source = await mkdtemp(join(tmpdir(), "source-"));
      await writeFile(join(source, "main.go"), text);
      folders.push(programDirectory({ name: "own", version: "1", source }));
      await rm(source, { recursive: true });
    }
    expect(folders[0]).toBe(folders[1]);
    expect(folders[2]).not.toBe(folders[0]);
  });
});

describe("a failure is explained", () => {
  test.each([
    ["write /tmp/x: no space left on device", /disk is full.*df -h/],
    ["ENOSPC: no space left on device, write", /disk is full/],
    ["dial tcp: lookup example.org: no such host", /registry does not answer.*GOPROXY/],
    ["Err:1 Temporary failure resolving 'example.org'", /registry does not answer/],
    ["module x requires go >= 1.27 (running go 1.26.8)", /this Go is too old. Install Go 1\.26/],
    ["E: Could not get lock /var/lib/dpkg/lock-frontend", /another package manager is running/],
    ["compile: signal: killed", /out of memory/],
  ])("%s", (output, message) => {
    expect(explainFailure(output)).toMatch(message);
    expect(explainFailure(output)).toContain(output);
  });

  test("a full disk is the cause even when a download failed for it", () => {
    const output = "dial tcp: i/o timeout\nwrite go.zip: no space left on device";
    expect(explainFailure(output)).toContain("disk is full");
  });

  test("what is not known is quoted, the end of it", () => {
    expect(explainFailure("1\n2\n3\n4\n5\n\n")).toBe("2\n  3\n  4\n  5");
    expect(explainFailure("")).not.toBe("");
  });
});

describe("running a command", () => {
  test("gives its standard output alone", async () => {
    expect(await run("sh", ["-c", "echo out; echo err >&2"], { what: "Echo" })).toBe("out\n");
  });

  test("names what was made, the reason and the remedy", async () => {
    await expect(run("sh", ["-c", "echo broken >&2; exit 3"], { what: "It" })).rejects.toThrow(
      new LocalError("It: broken"),
    );
    const options = { what: "It", whenMissing: "Install it" };
    await expect(run("no-such-program", [], options)).rejects.toThrow(
      new LocalError('It: "no-such-program" is not on PATH. Install it.'),
    );
  });
});

describe("building", () => {
  const path = process.env["PATH"];
  const proxy = process.env["GOPROXY"];
  // Nothing answers on the discard port, and no such module is in Go's cache.
  const unknown = { ...example, module: "example.org/no/such/tool" };
  let empty = "";
  beforeAll(async () => {
    empty = await mkdtemp(join(tmpdir(), "empty-"));
  });
  afterAll(async () => {
    process.env["PATH"] = path;
    if (proxy === undefined) delete process.env["GOPROXY"];
    else process.env["GOPROXY"] = proxy;
    await rm(empty, { recursive: true });
  });

  test("without Go says so and leaves nothing that counts as done", async () => {
    process.env["PATH"] = empty;
    await expect(ensureProgram(unknown, silent)).rejects.toThrow(
      /Building example v1\.2\.3: "go" is not on PATH. Install Go 1\.26 or newer/,
    );
    process.env["PATH"] = path;
    expect(existsSync(programDirectory(unknown))).toBe(false);
    const beside = await readdir(join(programDirectory(unknown), ".."));
    expect(beside.filter((entry) => entry.includes("building") || entry.includes("lock"))).toEqual(
      [],
    );
  });

  test("without network says so", async () => {
    process.env["GOPROXY"] = "http://127.0.0.1:9";
    await expect(ensureProgram(unknown, silent)).rejects.toThrow(
      /Building example v1\.2\.3: the package registry does not answer/,
    );
  });

  test("asked for nothing, builds nothing", async () => {
    expect(await ensureTools([], silent)).toEqual({});
    expect(toolNames).toContain("pulumi");
  });
});

describe("packages", () => {
  test("are missing when one of their programs is", () => {
    expect(missingPackages(() => true)).toEqual([]);
    expect(missingPackages((program) => program !== "ctr")).toEqual(["containerd"]);
    expect(missingPackages(() => false)).toContain("mmdebstrap");
  });
});

describe("a limit", () => {
  test("runs in order, never more than its number, and goes on after a failure", async () => {
    const queue = limit(2);
    const order: number[] = [];
    let running = 0;
    let most = 0;
    const task = async (index: number): Promise<number> => {
      order.push(index);
      most = Math.max(most, (running += 1));
      await new Promise((resolve) => setTimeout(resolve, 5));
      running -= 1;
      if (index === 1) throw new Error("one fails");
      return index;
    };
    const outcomes = await Promise.allSettled([0, 1, 2, 3, 4].map((n) => queue(() => task(n))));
    expect(outcomes.map(({ status }) => status === "fulfilled")).toEqual([
      true,
      false,
      true,
      true,
      true,
    ]);
    expect(order).toEqual([0, 1, 2, 3, 4]);
    expect(most).toBe(2);
  });
});
