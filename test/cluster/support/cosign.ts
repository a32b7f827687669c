import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StackOutputs } from "../../../infra/outputs.ts";
import { newToken, type Identity } from "./identity.ts";
import { mustRun, run, type Run } from "./process.ts";

/** The program, and the stack that it is tried with. */
interface CosignOf {
  cosign: string;
  outputs: StackOutputs;
}

/** How it behaves where the defaults are not wanted. */
export interface CosignOptions {
  /** Where tokens come from; a fresh one for each signature if left out. */
  token?: () => Promise<string>;
  /** More of the environment. */
  env?: NodeJS.ProcessEnv;
  /** Ends a run that takes longer, in ms. */
  limitMs?: number;
}

/** A user of cosign with a home folder of its own, who knows the mirror and its first root. */
export class Cosign {
  readonly home: string;
  private readonly stack: CosignOf;
  private readonly options: CosignOptions;

  private constructor(stack: CosignOf, home: string, options: CosignOptions) {
    this.stack = stack;
    this.home = home;
    this.options = options;
  }

  /** The first day: an empty home, then `cosign initialize`. */
  static async initialize(stack: CosignOf, options: CosignOptions = {}): Promise<Cosign> {
    const home = await mkdtemp(join(tmpdir(), "anchorhold-cosign-"));
    const cosign = new Cosign(stack, home, options);
    await mustRun(stack.cosign, initializeArgs(stack.outputs), { env: cosign.env() });
    return cosign;
  }

  path(name: string): string {
    return join(this.home, name);
  }

  /** The folder of the TUF client's cache; one folder for each mirror lies in it. */
  get cache(): string {
    return join(this.home, "tuf");
  }

  /** Runs a command that needs no identity. */
  run(...args: string[]): Promise<Run> {
    return run(this.stack.cosign, args, { env: this.env(), ...this.at() });
  }

  /** Runs a command that signs, with a fresh token; it must succeed. */
  async sign(...args: string[]): Promise<string> {
    const { token = () => newToken(this.stack.outputs) } = this.options;
    const env = { ...this.env(), SIGSTORE_ID_TOKEN: await token() };
    return mustRun(this.stack.cosign, [...args, "--yes"], { env, ...this.at() });
  }

  /**
   * Starts a command that has no token, and so asks somebody to sign in.
   * @param programs a folder whose programs are found before others, such as a browser
   */
  begin(args: readonly string[], programs: string): ChildProcessWithoutNullStreams {
    const env = { ...this.env(), PATH: `${programs}:${process.env.PATH ?? ""}` };
    return spawn(this.stack.cosign, [...args, "--yes"], { env, cwd: this.home });
  }

  dispose(): Promise<void> {
    return rm(this.home, { recursive: true, force: true });
  }

  private at() {
    const { limitMs } = this.options;
    return { cwd: this.home, ...(limitMs === undefined ? {} : { limitMs }) };
  }

  /** Nothing of the caller's environment, so that no URL or key can come from there. */
  private env(): NodeJS.ProcessEnv {
    return {
      PATH: process.env.PATH,
      HOME: this.home,
      TUF_ROOT: this.cache,
      DOCKER_CONFIG: this.home,
      ...this.options.env,
    };
  }
}

/** The two things that a client needs: the mirror's URL and the first root (with its hash). */
export function initializeArgs({ mirror }: StackOutputs): string[] {
  return [
    "initialize",
    ...["--mirror", mirror.url],
    ...["--root", mirror.rootUrl],
    ...["--root-checksum", mirror.rootSha256],
  ];
}

export const as = ({ name, issuer }: Identity) => [
  "--certificate-identity",
  name,
  "--certificate-oidc-issuer",
  issuer,
];
