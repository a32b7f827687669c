import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StackOutputs } from "../../../infra/outputs.ts";
import { mustRun, run, type Run } from "./process.ts";
import { newToken, type Identity, type Stack } from "./stack.ts";

/** A user of cosign with a home folder of its own, who knows the mirror and its first root. */
export class Cosign {
  readonly home: string;
  private readonly stack: Stack;

  private constructor(stack: Stack, home: string) {
    this.stack = stack;
    this.home = home;
  }

  /** The first day: an empty home, then `cosign initialize`. */
  static async initialize(stack: Stack): Promise<Cosign> {
    const cosign = new Cosign(stack, await mkdtemp(join(tmpdir(), "anchorhold-cosign-")));
    await mustRun(stack.cosign, initializeArgs(stack.outputs), { env: cosign.env() });
    return cosign;
  }

  path(name: string): string {
    return join(this.home, name);
  }

  /** Runs a command that needs no identity. */
  run(...args: string[]): Promise<Run> {
    return run(this.stack.cosign, args, { env: this.env(), cwd: this.home });
  }

  /** Runs a command that signs, with a fresh token; it must succeed. */
  async sign(...args: string[]): Promise<string> {
    const env = { ...this.env(), SIGSTORE_ID_TOKEN: await newToken(this.stack.outputs) };
    return mustRun(this.stack.cosign, [...args, "--yes"], { env, cwd: this.home });
  }

  dispose(): Promise<void> {
    return rm(this.home, { recursive: true, force: true });
  }

  /** Nothing of the caller's environment, so that no URL or key can come from there. */
  private env(): NodeJS.ProcessEnv {
    return {
      PATH: process.env.PATH,
      HOME: this.home,
      TUF_ROOT: join(this.home, "tuf"),
      DOCKER_CONFIG: this.home,
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
