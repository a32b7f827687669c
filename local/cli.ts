import { dirname, join } from "node:path";
import { Argument, Command, Option } from "commander";
import { CannotRun } from "../cli/errors.ts";
import { LocalError } from "./errors.ts";
import { ensureDataServices } from "./images/dataServices.ts";
import { ladder, type Need } from "./ladder/rungs.ts";
import { homeDir } from "./paths.ts";
import type { Report } from "./report.ts";
import { down } from "./stack/down.ts";
import { prepareHome } from "./stack/environment.ts";
import { handThrough } from "./stack/handThrough.ts";
import { pulumi } from "./stack/pulumi.ts";
import { withStackFile } from "./stack/stackArguments.ts";
import { refreshStackFile } from "./stack/stackFile.ts";
import { chooseCosign, choosePulumi } from "./stack/toolchain.ts";
import { up, type UpOptions } from "./stack/up.ts";
import { ensureTools, toolNames, type ToolName } from "./tools/index.ts";
import { withLock } from "./tools/lock.ts";

const started = performance.now();

/** Progress for people: how long the run has taken so far, then what happens. */
const say: Report = (line) => {
  const seconds = Math.round((performance.now() - started) / 1000);
  console.error(line === "" ? "" : `${`${seconds}s`.padStart(6)}  ${line}`);
};

/** Progress for the commands that hand through another program's output: only what takes long. */
const quiet: Report = (line) => {
  if (!/^(Pulumi|Plugins):/.test(line)) say(line);
};

/** Two runs that start or stop the same node at the same time would undo each other's work. */
function alone(task: () => Promise<void>): Promise<void> {
  return withLock(join(homeDir, "start.lock"), task, (owner) =>
    say(`waiting for another npm start or npm run down (process ${owner})`),
  );
}

/** Ctrl-C reaches the other program by itself; it decides when to stop. */
function handOver(...run: Parameters<typeof handThrough>): Promise<number> {
  process.on("SIGINT", () => undefined);
  return handThrough(...run);
}

/** A switch for one need of the ladder: docs/local.md. */
function insist(need: Need, says: string, rungs: readonly string[] = ladder[need]): Option {
  return new Option(`--${need} <rung>`, says).choices(rungs.filter((one) => one !== "context"));
}

const program = new Command("npm run")
  .description("What a bare machine lacks, and the local stack")
  .enablePositionalOptions();

program
  .command("up")
  .description("bring up the local stack and sign with it (npm start)")
  .option("--context <name>", "deploy to this context of your kubeconfig")
  .addOption(insist("cluster", "or make a cluster in this way", ["kind", "node"]))
  .addOption(insist("pulumi", "take the Pulumi command line from there"))
  .addOption(insist("plugins", "take Pulumi's plugins from there"))
  .addOption(insist("images", "take the images from there"))
  .addOption(insist("chart", "take the chart from there"))
  .option("--restore <file>", "bring up the Sigstore of this backup (docs/backup.md)")
  .option("--nothing-signed-since", "with --restore: nothing was signed after the backup")
  .action((options: UpOptions) => alone(() => up(options, say)));

program
  .command("down")
  .description("end the cluster that runs here; caches, state and the database volume stay")
  .option("--purge", "remove the state and the database volume too: the keys are gone for ever")
  .action(async ({ purge = false }: { purge?: boolean }) => {
    await alone(() => down({ purge }, say));
  });

program
  .command("tools")
  .description("build command-line tools that are not in the cache")
  .addArgument(new Argument("<names...>").choices(toolNames))
  .action(async (names: ToolName[]) => {
    for (const path of Object.values(await ensureTools(names, say))) console.log(path);
  });

program
  .command("data-services")
  .description("make what the tests of databases run, or say why this machine cannot")
  .action(async () => {
    try {
      await ensureDataServices(say);
    } catch (error) {
      if (!(error instanceof LocalError)) throw error;
      say(`Tests of databases are skipped here. ${error.message}`);
    }
  });

program
  .command("pulumi")
  .description("run pulumi with what stands behind it here, on the local stack")
  .argument("[args...]")
  .allowUnknownOption()
  .passThroughOptions()
  .action(async (args: string[]) => {
    prepareHome();
    refreshStackFile();
    const choice = await choosePulumi(quiet, args);
    process.exitCode = (await pulumi(choice, withStackFile(args), { stdio: "inherit" })).code;
  });

program
  .command("cosign")
  .description("run cosign")
  .argument("[args...]")
  .allowUnknownOption()
  .passThroughOptions()
  .action(async (args: string[]) => {
    process.exitCode = await handOver(await chooseCosign(quiet), args, []);
  });

program
  .command("anchorhold")
  .description("run anchorhold on the local stack")
  .argument("[args...]")
  .allowUnknownOption()
  .passThroughOptions()
  .action(async (args: string[]) => {
    prepareHome();
    const choice = await choosePulumi(quiet);
    const script = ["cli/main.ts", ...args];
    process.exitCode = await handOver(process.execPath, script, [dirname(choice.pulumi)]);
  });

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof LocalError || error instanceof CannotRun)) throw error;
  console.error(`\n${error.message}`);
  // At once: builds that wait for their turn would go on for minutes.
  process.exit(1);
}
