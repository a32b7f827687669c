import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const projectDir = join(import.meta.dirname, "../../..");

/** The sources that the signer's entry imports, directly or not, by their path in this project. */
const sources = [
  "infra/platform/tuf/program/main.ts",
  "infra/platform/tuf/program/configMap.ts",
  "infra/platform/tuf/program/run.ts",
  "infra/trust/tuf/signature.ts",
  "infra/trust/tuf/timestamp.ts",
  "infra/trust/tuf/timestampState.ts",
] as const;

export const programEntry = sources[0];

/**
 * The signer, path → text: our sources as they are, which Node runs by stripping their types, and
 * the one library that they need. So what signs in the cluster is what was reviewed and tested, and
 * nothing is fetched when it runs.
 */
export function programFiles(): Record<string, string> {
  const library = dirname(
    createRequire(import.meta.url).resolve("@tufjs/canonical-json/package.json"),
  );
  const { name, version, main } = JSON.parse(
    readFileSync(join(library, "package.json"), "utf8"),
  ) as { name: string; version: string; main: string };
  const place = `node_modules/${name}`;
  return {
    "package.json": JSON.stringify({ type: "module" }),
    ...Object.fromEntries(
      sources.map((path) => [path, readFileSync(join(projectDir, path), "utf8")]),
    ),
    [`${place}/package.json`]: JSON.stringify({ name, version, main }),
    [`${place}/${main}`]: readFileSync(join(library, main), "utf8"),
  };
}

/** The key in a ConfigMap for a file of the program; the volume's `items` say where it goes. */
export function programKey(path: string): string {
  return path.replaceAll(/[^-._a-zA-Z0-9]+/g, "__");
}
