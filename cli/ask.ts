import { createInterface } from "node:readline/promises";

/** Asks a question that `yes` alone answers; any other answer, or Ctrl-C, is a no. */
export type Ask = (question: string) => Promise<boolean>;

/** Questions on this process's terminal, apart from what it prints; undefined where there is none. */
export function terminalAsk(): Ask | undefined {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
  return async (question) => {
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    try {
      return (await lines.question(`${question} (yes/no) `)).trim() === "yes";
    } catch {
      return false;
    } finally {
      lines.close();
    }
  };
}

/** Asks on the terminal; without one the answer is no: then only an option of the command agrees. */
export async function confirm(question: string): Promise<boolean> {
  return (await terminalAsk()?.(question)) ?? false;
}
