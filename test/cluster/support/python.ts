import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cacheDir } from "../../../local/paths.ts";
import { mustRun, run, type Run } from "./process.ts";
import { newToken, type Stack } from "./stack.ts";

const version = "4.5.1";

/**
 * sigstore-python in a virtual environment of its own, made once and cached by version. An
 * environment that was not finished is made anew.
 */
async function ensureSigstorePython(): Promise<string> {
  const folder = join(cacheDir, "python", `sigstore-${version}`);
  const finished = join(folder, ".finished");
  if (existsSync(finished)) return join(folder, "bin", "sigstore");
  const say = (line: string) => process.stderr.write(`  sigstore-python ${version}: ${line}\n`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  say("making a virtual environment (needs python3 with venv)");
  await mustRun("python3", ["-m", "venv", folder]);
  say("installing from PyPI");
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
  await mustRun(join(folder, "bin", "python"), [...pip, `sigstore==${version}`], {
    limitMs: 600_000,
  });
  await writeFile(finished, "");
  say("ready");
  return join(folder, "bin", "sigstore");
}

/** The stack that it is tried with. */
type PythonOf = Pick<Stack, "outputs">;

/** How it behaves where the defaults are not wanted. */
interface PythonOptions {
  /** Where tokens come from; a fresh one for each signature if left out. */
  token?: () => Promise<string>;
  /** More of the environment. */
  env?: NodeJS.ProcessEnv;
}

/** A user of sigstore-python with a home folder of its own. */
export class SigstorePython {
  readonly home: string;
  private readonly program: string;
  private readonly stack: PythonOf;
  private readonly options: PythonOptions;

  private constructor(stack: PythonOf, program: string, home: string, options: PythonOptions) {
    this.stack = stack;
    this.options = options;
    this.program = program;
    this.home = home;
  }

  /** The first day: `sigstore --instance URL trust-instance 1.root.json`. */
  static async trustInstance(
    stack: PythonOf,
    options: PythonOptions = {},
  ): Promise<SigstorePython> {
    const program = await ensureSigstorePython();
    const home = await mkdtemp(join(tmpdir(), "anchorhold-python-"));
    const root = join(home, "1.root.json");
    await writeFile(root, stack.outputs.initialRoot);
    const user = new SigstorePython(stack, program, home, options);
    const { code, stderr } = await user.run("trust-instance", root);
    if (code !== 0) throw new Error(`trust-instance: ${stderr}`);
    return user;
  }

  run(...args: string[]): Promise<Run> {
    return run(this.program, ["--instance", this.stack.outputs.mirror.url, ...args], {
      env: this.env(),
      cwd: this.home,
    });
  }

  async sign(file: string, bundle: string): Promise<void> {
    const { token = () => newToken(this.stack.outputs) } = this.options;
    const env = { ...this.env(), SIGSTORE_IDENTITY_TOKEN: await token() };
    const args = ["--instance", this.stack.outputs.mirror.url, "sign", "--bundle", bundle, file];
    await mustRun(this.program, args, { env, cwd: this.home });
  }

  dispose(): Promise<void> {
    return rm(this.home, { recursive: true, force: true });
  }

  private env(): NodeJS.ProcessEnv {
    // Wide, or its messages are broken into narrow columns.
    return { PATH: process.env.PATH, HOME: this.home, COLUMNS: "200", ...this.options.env };
  }
}
