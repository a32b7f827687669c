import { readFileSync, writeFileSync } from "node:fs";
import { CannotRun } from "../errors.ts";
import { exitCode } from "../exit.ts";

const endings = ["SIGTERM", "SIGHUP"] as const;

/**
 * An edit of a file that is on trial: unless it is kept, the file gets its former bytes back, also
 * when the process is told to end.
 */
export class HeldEdit {
  private readonly path: string;
  private readonly former: Buffer;
  private readonly text: string;
  private isOpen = true;
  private readonly atExit = (): void => this.putBack();
  private readonly atSignal = (): never => process.exit(exitCode.cannotRun);

  constructor(path: string, former: Buffer, text: string) {
    this.path = path;
    this.former = former;
    this.text = text;
    writeFileSync(path, text);
    process.on("exit", this.atExit);
    for (const signal of endings) process.on(signal, this.atSignal);
  }

  /** From now on the edit stays. */
  keep(): void {
    this.isOpen = false;
    process.off("exit", this.atExit);
    for (const signal of endings) process.off(signal, this.atSignal);
  }

  /**
   * Undoes the edit, byte for byte.
   * @throws CannotRun when somebody else has changed the file meanwhile; it stays as it is
   */
  putBack(): void {
    if (!this.isOpen) return;
    this.keep();
    if (readFileSync(this.path, "utf8") !== this.text)
      throw new CannotRun(
        `${this.path} was changed meanwhile, so the edit was not taken out of it.`,
      );
    writeFileSync(this.path, this.former);
  }
}
