// A program that signs and verifies with the @sigstore packages, for what a process takes from its
// environment at its start:
//   node jsProgram.ts sign|verify OUTPUTS BLOB BUNDLE NAME ISSUER
//   node jsProgram.ts load OUTPUTS    four signers until its input ends; then what came of it, as JSON
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { oneLine } from "../../../cli/errors.ts";
import { parseOutputs } from "../../../cli/verify/outputs.ts";
import { SigstoreJs } from "./js.ts";

/** What the signers of `load` did; no request was tried twice. */
export interface LoadResult {
  signed: number;
  failures: string[];
}

const [command = "", outputs = "", blob = "", bundle = "", name = "", issuer = ""] =
  process.argv.slice(2);

async function load(js: SigstoreJs): Promise<LoadResult> {
  const sign = await js.steady();
  const result: LoadResult = { signed: 0, failures: [] };
  let running = true;
  process.stdin.on("end", () => (running = false)).resume();
  const signer = async () => {
    while (running)
      await sign(randomBytes(64)).then(
        () => (result.signed += 1),
        (error: unknown) => result.failures.push(oneLine(error)),
      );
  };
  await Promise.all([1, 2, 3, 4].map(signer));
  return result;
}

const js = await SigstoreJs.start(
  { outputs: parseOutputs(await readFile(outputs, "utf8"), outputs) },
  {
    token: () => Promise.resolve(process.env.SIGSTORE_ID_TOKEN ?? ""),
    requests: { retry: 0, timeout: 10_000 },
  },
);
try {
  if (command === "load") console.log(JSON.stringify(await load(js)));
  else if (command === "sign") await writeFile(bundle, await js.sign(await readFile(blob)));
  else await js.verify(await readFile(blob), await readFile(bundle, "utf8"), { name, issuer });
} catch (error) {
  console.error(oneLine(error));
  process.exitCode = 1;
} finally {
  await js.dispose();
}
