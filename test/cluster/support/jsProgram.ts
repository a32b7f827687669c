// A program that signs and verifies with the @sigstore packages, for what a process takes from its
// environment at its start: node jsProgram.ts sign|verify OUTPUTS BLOB BUNDLE NAME ISSUER
import { readFile, writeFile } from "node:fs/promises";
import { oneLine } from "../../../cli/errors.ts";
import { parseOutputs } from "../../../cli/verify/outputs.ts";
import { SigstoreJs } from "./js.ts";

const [command = "", outputs = "", blob = "", bundle = "", name = "", issuer = ""] =
  process.argv.slice(2);
const token = () => Promise.resolve(process.env.SIGSTORE_ID_TOKEN ?? "");
const js = await SigstoreJs.start(
  { outputs: parseOutputs(await readFile(outputs, "utf8"), outputs) },
  { token, requests: { retry: 0, timeout: 10_000 } },
);
try {
  const data = await readFile(blob);
  if (command === "sign") await writeFile(bundle, await js.sign(data));
  else await js.verify(data, await readFile(bundle, "utf8"), { name, issuer });
} catch (error) {
  console.error(oneLine(error));
  process.exitCode = 1;
} finally {
  await js.dispose();
}
