/**
 * Two texts line by line: `-` only in the first, `+` only in the second, with the lines around a
 * change for context.
 */
export function lineDiff(before: string, after: string, context = 2): string {
  const lines = compare(before.split(/\r?\n/), after.split(/\r?\n/));
  const near = lines.map((_, index) =>
    lines.slice(Math.max(0, index - context), index + context + 1).some(([mark]) => mark !== " "),
  );
  return lines
    .filter((_, index) => near[index])
    .map(([mark, line]) => `${mark} ${line}`.trimEnd())
    .join("\n");
}

type Line = readonly [mark: " " | "-" | "+", text: string];

/** By the longest common subsequence; stack files are short. */
function compare(a: readonly string[], b: readonly string[]): Line[] {
  // common[i][j]: how many lines the rest of `a` from i and of `b` from j have in common
  const common = a.map(() => b.map(() => 0));
  const at = (i: number, j: number) => common[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      common[i]![j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push([" ", a[i++]!]);
      j++;
    } else if (i < a.length && (j === b.length || at(i + 1, j) >= at(i, j + 1)))
      lines.push(["-", a[i++]!]);
    else lines.push(["+", b[j++]!]);
  }
  return lines;
}
