// Builds a program from its Go module, in a small module of its own: `go install module@version`
// refuses modules whose go.mod has replaces, and pins nothing that can be read afterwards.
import { globSync, readFileSync } from "node:fs";
import { cp, readFile, symlink, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { cacheDir } from "../paths.ts";
import type { Report } from "../report.ts";
import { limit } from "./limit.ts";
import type { Program } from "./programs.ts";
import { run } from "./run.ts";
import { ensureStored, keyOf } from "./store.ts";

/** Go's language version of the modules that we write: the newest that a dependency asks for. */
const goVersion = "1.26";

// Downloads wait for the network, compiling for cores: each has its own queue.
const downloading = limit(4);
const compiling = limit(Math.max(1, Math.ceil(availableParallelism() / 2)));

/** The staging modules that a go.mod replaces by relative paths, e.g. "k8s.io/api". */
export function stagingModules(goMod: string): string[] {
  return [...goMod.matchAll(/^\s*(?:replace )?(\S+) => \.\/staging\//gm)].map((match) => match[1]!);
}

/** The go.mod of the small module around one program. */
export function goMod(program: Program, staging: readonly string[]): string {
  const versions = [
    ...staging.map((name) => [name, program.staging ?? ""]),
    ...Object.entries(program.replaces ?? {}),
  ];
  const replaces = versions.map(([name, version]) => `replace ${name} => ${name} ${version}\n`);
  for (const [name, folder] of Object.entries(program.standIns ?? {}))
    replaces.push(`replace ${name} => ./${folder}\n`);
  const require = program.module ? `require ${program.module} ${program.version}\n` : "";
  return [moduleLines("build"), require, replaces.join("")].join("\n");
}

const moduleLines = (name: string): string => `module ${name}\n\ngo ${goVersion}\n`;

/** The linker's flags: no symbol tables, and the program's variables. */
export function linkFlags(program: Program): string {
  const variables = Object.entries(program.variables ?? {});
  return ["-s -w", ...variables.map(([name, value]) => `-X ${name}=${value}`)].join(" ");
}

function tagsOf({ tags = [] }: Program): string[] {
  return tags.length === 0 ? [] : ["-tags", tags.join(",")];
}

/** Where a program's finished build lies: by version and by all that goes into it. */
export function programDirectory(program: Program): string {
  const { source, ...rest } = program;
  const files = source ? globSync("**/*.go", { cwd: source }).sort() : [];
  const text = files.map((file) => readFileSync(join(source ?? "", file), "utf8")).join("");
  const key = keyOf(rest, goVersion, text, process.platform, process.arch);
  return join(cacheDir, "programs", program.name, `${program.version}-${key}`);
}

/** "kubernetes v1.34.2", as messages call it. */
const title = (program: Program): string => `${program.name} ${program.version}`;

function go(args: readonly string[], program: Program, cwd: string): Promise<string> {
  return run("go", args, {
    what: `Building ${title(program)}`,
    cwd,
    // The user's own flags and workspace would change what is built.
    env: {
      CGO_ENABLED: "0",
      GOFLAGS: "-mod=mod -buildvcs=false",
      GOWORK: "off",
      // A killed build leaves gigabytes of object files: in the draft they are removed with it.
      GOTMPDIR: cwd,
    },
    whenMissing: `Install Go ${goVersion} or newer (https://go.dev/doc/install), or put ${program.name} on PATH`,
  });
}

/** The folder of a module's source in Go's module cache, downloaded when it is not there. */
export async function moduleSource(program: Program, cwd: string): Promise<string> {
  const answer = await go(
    ["mod", "download", "-json", `${program.module ?? ""}@${program.version}`],
    program,
    cwd,
  );
  return (JSON.parse(answer) as { Dir: string }).Dir;
}

async function writeModule(program: Program, directory: string): Promise<void> {
  let staging: string[] = [];
  if (program.staging) {
    await writeFile(join(directory, "go.mod"), `module build\n`);
    const source = await moduleSource(program, directory);
    staging = stagingModules(await readFile(join(source, "go.mod"), "utf8"));
  }
  await writeFile(join(directory, "go.mod"), goMod(program, staging));
  const sums = program.sums ?? [];
  if (sums.length > 0) await writeFile(join(directory, "go.sum"), `${sums.join("\n")}\n`);
  if (program.source) await cp(program.source, directory, { recursive: true });
  for (const [name, folder] of Object.entries(program.standIns ?? {}))
    await writeFile(join(directory, folder, "go.mod"), moduleLines(name));
}

const seconds = (since: number): string => `${Math.round((Date.now() - since) / 1000)} s`;

async function build(program: Program, directory: string, report: Report): Promise<void> {
  const target = program.package ?? ".";
  await downloading(async () => {
    report(`${title(program)}: downloading its Go modules`);
    await writeModule(program, directory);
    await go(
      ["list", ...tagsOf(program), "-deps", "-f", "{{.ImportPath}}", target],
      program,
      directory,
    );
  });
  await compiling(async () => {
    const started = Date.now();
    report(`${title(program)}: compiling`);
    const flags = ["-trimpath", "-ldflags", linkFlags(program), "-o", program.name];
    await go(["build", ...tagsOf(program), ...flags, target], program, directory);
    for (const alias of program.aliases ?? []) await symlink(program.name, join(directory, alias));
    report(`${title(program)}: built in ${seconds(started)}`);
  });
}

/**
 * Makes sure that a program's binary is in the cache.
 * @returns the binary's absolute path
 * @throws LocalError naming the program, the cause and the remedy
 */
export async function ensureProgram(program: Program, report: Report): Promise<string> {
  const directory = programDirectory(program);
  await ensureStored(
    directory,
    `Building ${title(program)}`,
    (draft) => build(program, draft, report),
    report,
  );
  return join(directory, program.name);
}
