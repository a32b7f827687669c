import { readFileSync } from "node:fs";
import * as YAML from "yaml";
import { parseConfig, type Config } from "../../infra/config.ts";

/** The shipped local stack's configuration with some values in place of its own. */
export function configWith(changes: Record<string, unknown> = {}): Config {
  const text = readFileSync(
    new URL("../../stacks/Pulumi.local.yaml", import.meta.url).pathname,
    "utf8",
  );
  const { config } = YAML.parse(text) as { config: Record<string, unknown> };
  const own = Object.entries(config)
    .filter(([key]) => key.startsWith("anchorhold:"))
    .map(([key, value]): [string, unknown] => [key.replace("anchorhold:", ""), value]);
  const values = Object.entries({ ...Object.fromEntries(own), ...changes });
  const raw = values.map(([key, value]): [string, string] => [
    key,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return parseConfig(Object.fromEntries(raw), "Pulumi.local.yaml");
}

/** What the user reads for the shipped stack with these changes. */
export function refusal(changes: Record<string, unknown>): string {
  try {
    configWith(changes);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("the configuration was accepted");
}
