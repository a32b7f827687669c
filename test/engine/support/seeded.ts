import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repository } from "./stack.ts";

/** One edit of the program that breaks a rule. */
export interface Seed {
  /** Below infra/. */
  file: string;
  from: string;
  to: string;
}

/** The project with a copy of the program that a test can spoil; all else is linked. */
export class SeededProject {
  readonly folder = mkdtempSync(join(tmpdir(), "anchorhold-seeded-"));

  constructor() {
    for (const name of readdirSync(repository)) {
      const [from, to] = [join(repository, name), join(this.folder, name)];
      if (name === "infra" || name === "policies") cpSync(from, to, { recursive: true });
      else if (name === "stacks") mkdirSync(to);
      else symlinkSync(from, to);
    }
  }

  /**
   * Makes the edits.
   * @throws Error when a text to replace is not there once: the seed would do nothing
   */
  sow(seeds: readonly Seed[]): void {
    for (const { file, from, to } of seeds) {
      const path = join(this.folder, "infra", file);
      const text = readFileSync(path, "utf8");
      if (text.split(from).length !== 2) throw new Error(`${file} has not one place with ${from}`);
      writeFileSync(
        path,
        text.replace(from, () => to),
      );
    }
  }

  /** Takes every edit back. */
  reap(): void {
    cpSync(join(repository, "infra"), join(this.folder, "infra"), { recursive: true });
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
