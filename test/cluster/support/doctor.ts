import * as z from "zod";
import { projectRoot } from "./stack.ts";
import { run } from "./process.ts";

const report = z.object({
  faults: z.array(z.object({ id: z.string(), place: z.string(), command: z.string() })),
  done: z.array(z.string()),
  refused: z.array(z.string()),
});

/** What `anchorhold doctor --json` says of the local stack, and its exit code. */
export async function doctor(
  ...flags: string[]
): Promise<z.infer<typeof report> & { code: number }> {
  const args = ["local/cli.ts", "anchorhold", "doctor", "--json", ...flags];
  const { code, stdout, stderr } = await run(process.execPath, args, {
    cwd: projectRoot,
    limitMs: 900_000,
  });
  if (!stdout.startsWith("{")) throw new Error(`doctor: exit code ${code}\n${stdout}${stderr}`);
  return { code, ...report.parse(JSON.parse(stdout)) };
}
