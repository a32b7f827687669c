import { configIn, parsed, shippedText, stacks, type ShippedStack } from "./stacks.ts";

/** Every leaf of a value by its path, such as `exposure.hosts.tuf`. */
export function leaves(value: unknown, path = ""): Record<string, string> {
  if (typeof value !== "object" || value === null) return { [path]: String(value) };
  const below = Object.entries(value).map(([key, one]) =>
    leaves(one, path === "" ? key : `${path}.${key}`),
  );
  return Object.assign({}, ...below) as Record<string, string>;
}

/** What a stack file says, and what the program makes of it with every default filled in. */
function readStack(stack: ShippedStack) {
  const config = configIn(shippedText(stack));
  const written = Object.fromEntries(
    Object.entries(config).map(([key, value]) => [key.replace("anchorhold:", ""), value]),
  );
  // Those of plugins, such as `kubernetes:…`, mean what they say.
  const others = Object.entries(config).filter(([key]) => !key.startsWith("anchorhold:"));
  return {
    written: leaves(written),
    meant: {
      ...leaves(Object.fromEntries(others)),
      ...leaves(parsed(config, `Pulumi.${stack}.yaml`)),
    },
  };
}

/** The places in which the configurations of these stacks differ, sorted. */
export function differingKeys(names: readonly ShippedStack[] = stacks): string[] {
  const all = names.map((name) => readStack(name).meant);
  const keys = new Set(all.flatMap((one) => Object.keys(one)));
  return [...keys].filter((key) => new Set(all.map((one) => one[key])).size > 1).sort();
}

/**
 * How the shipped stacks differ: a row a place, a column a stack, the stacks' names first. A value in
 * brackets is a default that the file leaves out.
 */
export function differences(): string[][] {
  const all = stacks.map(readStack);
  const rows = differingKeys().map((key) => [
    `\`${key}\``,
    ...all.map(({ written, meant }) => {
      if (written[key] !== undefined) return `\`${written[key]}\``;
      return meant[key] === undefined ? "–" : `(\`${meant[key]}\`)`;
    }),
  ]);
  return [["`anchorhold:`…", ...stacks], ...rows];
}

/** As a Markdown table. */
export function markdown([header = [], ...rows]: readonly string[][]): string {
  const all = [header, header.map(() => "---"), ...rows];
  return all.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** The rows of the table that follows a line of a Markdown text, without the one below its header. */
export function tableAfter(text: string, line: string): string[][] {
  const lines = text.split("\n");
  const start = lines.findIndex((one) => one.trim() === line) + 2;
  const length = lines.slice(start).findIndex((one) => !one.startsWith("|"));
  return lines
    .slice(start, start + length)
    .filter((one) => !/^\|[- |]+\|$/.test(one))
    .map((row) =>
      row
        .slice(1, -1)
        .split(" | ")
        .map((cell) => cell.trim()),
    );
}
