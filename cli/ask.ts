import { createInterface } from "node:readline/promises";

/** Asks a question that `yes` alone answers; any other answer, or Ctrl-C, is a no. */
export type Ask = (question: string) => Promise<boolean>;

/** Questions on this process's terminal; undefined where there is none. */
export function terminalAsk(): Ask | undefined {
  if (!process.stdin.isTTY || !process.stdout.isTTY) return undefined;
  return async (question) => {
    const lines = createInterface({ input: process.stdin, output: process.stdout });
    try {
      return (await lines.question(`${question} (yes/no) `)).trim() === "yes";
    } catch {
      return false;
    } finally {
      lines.close();
    }
  };
}
