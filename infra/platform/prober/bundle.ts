import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";

const project = join(import.meta.dirname, "../../..");
const folder = join(import.meta.dirname, "program");

/**
 * The probe's program with the libraries that it uses, as one file that a plain Node image runs: our
 * sources and what package-lock.json pins, so that nothing is fetched when it runs. The same sources
 * give the same bytes on every machine.
 * @returns CommonJS, as `@sigstore/*` is
 */
export async function probeProgram(): Promise<string> {
  // Loaded here: a stack without a probe needs no bundler.
  const { rolldown } = await import("rolldown");
  const build = await rolldown({
    cwd: project,
    input: join(folder, "main.ts"),
    platform: "node",
    resolve: { alias: { "make-fetch-happen": join(folder, "plainFetch.ts") } },
    onLog: () => undefined,
  });
  const { output } = await build.generate({ format: "cjs", codeSplitting: false, minify: true });
  await build.close();
  return output[0].code;
}

/**
 * It would fit into a ConfigMap as it is, but lies in Pulumi's state too, twice. Brotli and not gzip:
 * zlib's output differs from one kind of processor to another, which would be a change each time.
 */
export function packed(program: string): string {
  const quality = { [constants.BROTLI_PARAM_QUALITY]: 9 };
  return brotliCompressSync(program, { params: quality }).toString("base64");
}
