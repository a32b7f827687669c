import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { digestOf } from "../scaffold/mirror.ts";
import { parseImage } from "../scaffold/images.ts";

/** Whether a stack is one machine's own (`local`, `local-…`): nobody but its owner relies on it. */
export const isLocalStack = (stack: string): boolean => /^local(-|$)/.test(stack);

/** The stand-in for the chart lies in there. */
const standIns = fileURLToPath(new URL("../../local/", import.meta.url));

/** Names that are reserved for documentation (RFC 2606, section 3), as hosts or within them. */
const reserved = /(?<![-\w])example\.(com|net|org)(?!\.?[-\w])/i;

/** Every text in a configuration with its place, such as `anchorhold:subjects.tsa.commonName`. */
function texts(value: unknown, place: string): { place: string; text: string }[] {
  if (typeof value === "string") return [{ place, text: value }];
  if (typeof value !== "object" || value === null) return [];
  const separator = place.endsWith(":") ? "" : ".";
  return Object.entries(value).flatMap(([key, one]) => texts(one, `${place}${separator}${key}`));
}

/** What a checked configuration has to say of these rules. */
interface Checked {
  images: Readonly<Record<string, string>>;
  issuers: readonly { issuer: string }[];
  chart?: object;
}

/**
 * What is wrong with deploying a configuration as this stack, though it describes one: outside
 * `local` (and `local-…`), images that are not pinned by digest, the stand-in chart, issuers that are
 * asked for their keys without TLS, and the placeholders of the shipped stack files. Others than the
 * program may read such a configuration.
 */
export function elsewhereProblems(config: Checked, stack: string): string[] {
  if (isLocalStack(stack)) return [];
  const images = Object.entries(config.images)
    .filter(([, reference]) => digestOf(parseImage(reference)) === undefined)
    .map(
      ([key, reference]) =>
        `anchorhold:images.${key}: ${reference} must be pinned by digest outside the stack local: ` +
        "add @sha256: and 64 hex digits",
    );
  const placeholders = texts(config, "anchorhold:")
    .filter(({ text }) => reserved.test(text))
    .map(({ place, text }) => `${place}: ${text} is a placeholder: write your own name`);
  return [...images, ...standInProblems(config), ...plainIssuers(config), ...placeholders];
}

function plainIssuers({ issuers }: Checked): string[] {
  return issuers.flatMap(({ issuer }, index) =>
    issuer.startsWith("http:")
      ? [
          `anchorhold:issuers.${index}.issuer: ${issuer} must be https outside the stack local: whoever ` +
            "can change its answers on their way to Fulcio signs as anybody",
        ]
      : [],
  );
}

function standInProblems({ chart = {} }: Checked): string[] {
  const { path } = chart as { path?: unknown };
  if (typeof path !== "string" || !`${resolve(path)}/`.startsWith(standIns)) return [];
  return [
    `anchorhold:chart.path: ${path} is the stand-in for the scaffold chart, for the stack local: name ` +
      "a repository (with version), or the folder of the unpacked chart",
  ];
}
