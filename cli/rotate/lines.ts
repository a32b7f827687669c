import { isDeepStrictEqual } from "node:util";
import * as YAML from "yaml";
import { CannotRun } from "../errors.ts";
import type { Edit } from "./standing.ts";

type State = Edit[string];
type Addition = readonly [number: string, state: State];

/** Replaces text[from…to) by `by`. */
interface Splice {
  from: number;
  to: number;
  by: string;
}

/**
 * Writes states of generations into the text of a stack file. Comments, order, quotes and every
 * other byte stay: only the states are replaced, and new generations added in the form of the last.
 *
 * @param kind such as `fulcioCa`
 * @throws CannotRun when the file's form does not allow that
 */
export function editLines(text: string, kind: string, edit: Edit): string {
  const document = YAML.parseDocument(text);
  const map = document.getIn(["config", "anchorhold:trust", kind], true);
  if (document.errors.length > 0 || !YAML.isMap(map)) throw byHand(kind, edit);
  const splices: Splice[] = [];
  const added: Addition[] = [];
  for (const [number, state] of Object.entries(edit)) {
    const pair = map.items.find(({ key }) => String(YAML.isScalar(key) && key.value) === number);
    if (pair === undefined) added.push([number, state]);
    else splices.push(...replaced(pair.value, state));
  }
  const edited = apply(text, [...splices, ...appended(text, map, added)]);
  if (!saysNow(edited, text, kind, edit)) throw byHand(kind, edit);
  return edited;
}

/** The state of the short form, or of the long one, which keeps its source. */
function replaced(value: unknown, state: State): Splice[] {
  const node = YAML.isMap(value) ? (value.get("state", true) ?? value) : value;
  if (!YAML.isNode(node) || !node.range) return [];
  return [{ from: node.range[0], to: node.range[1], by: written(state) }];
}

/** New generations after the last one: on its line in `{ }`, else on lines of their own. */
function appended(text: string, map: YAML.YAMLMap, added: readonly Addition[]): Splice[] {
  const last = map.items.at(-1);
  const key = YAML.isScalar(last?.key) ? last.key.range : undefined;
  const value = YAML.isNode(last?.value) ? last.value.range : undefined;
  if (added.length === 0 || !key || !value) return [];
  const pairs = added.map(([number, state]) => {
    const likeLast = text.slice(key[0], key[1]).replace(/\d+/, number);
    return `${likeLast}: ${written(state)}`;
  });
  const lastByte = text.slice(0, value[1]).trimEnd().length;
  const at = map.flow === true ? lastByte : lastByte + text.slice(lastByte).search(/\r?\n|$/);
  const indent = " ".repeat(key[0] - (text.lastIndexOf("\n", key[0]) + 1));
  const before = map.flow === true ? ", " : `${text.includes("\r\n") ? "\r\n" : "\n"}${indent}`;
  return [{ from: at, to: at, by: pairs.map((pair) => `${before}${pair}`).join("") }];
}

const written = (state: State): string =>
  typeof state === "string" ? state : `{ distrusted: "${state.distrusted}" }`;

function apply(text: string, splices: readonly Splice[]): string {
  return [...splices]
    .sort((a, b) => b.from - a.from)
    .reduce((edited, { from, to, by }) => edited.slice(0, from) + by + edited.slice(to), text);
}

type StackFile = { config: { "anchorhold:trust": Record<string, Record<string, unknown>> } };

/** Whether the edited text says what the former said, but for these states. */
function saysNow(edited: string, former: string, kind: string, edit: Edit): boolean {
  const wanted = plain(former) as StackFile;
  const lines = wanted.config["anchorhold:trust"][kind] ?? {};
  for (const [number, state] of Object.entries(edit)) {
    const before = lines[number];
    const isLong = typeof before === "object" && before !== null && "state" in before;
    lines[number] = isLong ? { ...before, state } : state;
  }
  return isDeepStrictEqual(plain(edited), wanted);
}

/** As data; what YAML's aliases share is no longer shared. */
function plain(text: string): unknown {
  try {
    return JSON.parse(JSON.stringify(YAML.parse(text)));
  } catch {
    return undefined;
  }
}

function byHand(kind: string, edit: Edit): CannotRun {
  const lines = Object.entries(edit).map(([number, state]) => `"${number}": ${written(state)}`);
  return new CannotRun(
    `The lines of ${kind} in the stack file are in a form that is not edited by itself. Write there ` +
      `by hand ${lines.join(", ")} and run the same command again.`,
  );
}
