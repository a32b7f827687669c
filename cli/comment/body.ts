// The comment as Markdown. Pure.

/** GitLab takes a million characters in a note; nobody reads as many. */
const limit = 60_000;

/** Begins our note about a stack, so that the next pipeline finds it. Markdown does not show it. */
export const marker = (stack: string): string => `<!-- anchorhold preview-comment ${stack} -->`;

export interface Preview {
  stack: string;
  /** What `pulumi preview` printed, secrets already looked for. */
  text: string;
  /** How it ended. */
  exitCode: number;
  /** Where the whole text is. */
  jobUrl?: string | undefined;
}

/** The note about a preview: how it ended, the sum of its changes, and the text, folded. */
export function commentBody({ stack, text, exitCode, jobUrl }: Preview): string {
  const plain = text.replace(/\r/g, "").trimEnd();
  const title =
    exitCode === 0
      ? `Preview of \`${stack}\``
      : `Preview of \`${stack}\`: refused or failed, exit code ${exitCode}`;
  const sum = resourceCounts(plain);
  return [
    marker(stack),
    `### ${title}`,
    ...(sum === "" ? [] : [fenced(sum)]),
    `<details${exitCode === 0 ? "" : " open"}><summary>What it shows</summary>`,
    fenced(shortened(plain, limit)),
    "</details>",
    ...(jobUrl === undefined ? [] : [`The whole text is in [the job](${jobUrl}).`]),
  ].join("\n\n");
}

/** The lines below `Resources:`, which ends a preview. */
function resourceCounts(text: string): string {
  return /^Resources:\n((?: {4}.*(?:\n|$))+)/m.exec(text)?.[1]?.trimEnd() ?? "";
}

/**
 * Whole lines from the beginning and the end, each half of the room, with a line between them that
 * counts what is left out. The end tells errors and sums. A line that is too long is cut.
 * @param room characters, the line between not counted
 */
export function shortened(text: string, room: number): string {
  if (text.length <= room) return text;
  const half = Math.floor(room / 2);
  const lines = text.split("\n").map((line) => cut(line, half - 1));
  const first = fitting(lines, half);
  const last = fitting(lines.slice(first.length).reverse(), half).reverse();
  const left = lines.length - first.length - last.length;
  return [...first, `[… ${left} lines are left out …]`, ...last].join("\n");
}

const cut = (line: string, length: number): string =>
  line.length <= length ? line : `${line.slice(0, Math.max(0, length - 1))}…`;

/** As many of the first lines as there is room for, line ends counted. */
function fitting(lines: readonly string[], room: number): string[] {
  let used = 0;
  const end = lines.findIndex((line) => (used += line.length + 1) > room);
  return end < 0 ? [...lines] : lines.slice(0, end);
}

/** A code block whose fence no line of the text can close: inside, GitLab obeys nothing. */
function fenced(text: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}text\n${text}\n${fence}`;
}
