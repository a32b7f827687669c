import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { parseConfig, type Config } from "../../infra/config.ts";

/** In the order of promotion. */
export const stacks = ["local", "review", "acceptance", "production"] as const;
export type ShippedStack = (typeof stacks)[number];

export type Values = Record<string, unknown>;

/** A stack file as it is shipped, placeholders and all. */
export function shippedText(stack: ShippedStack): string {
  return readFileSync(new URL(`../../stacks/Pulumi.${stack}.yaml`, import.meta.url), "utf8");
}

/** The `config` of a stack file, with names of a company's own in place of the placeholders. */
export function ownConfig(stack: ShippedStack): Values {
  return configIn(shippedText(stack).replaceAll("example.com", "company.test"));
}

/** The `config` in a stack file's text. */
export function configIn(text: string): Values {
  return (parse(text) as { config: Values }).config;
}

/** The configuration as the program reads it; with a stack, as the one that is deployed. */
export function parsed(config: Values, file: string, stack?: string): Config {
  const own = Object.entries(config).filter(([key]) => key.startsWith("anchorhold:"));
  const values = own.map(([key, value]): [string, string] => [
    key.replace("anchorhold:", ""),
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return parseConfig(Object.fromEntries(values), file, stack);
}
