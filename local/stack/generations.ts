/** One kind's generations as a stack file has them: number → state. */
export type GenerationLines = Record<string, unknown>;

/** The value of `anchorhold:trust`. */
export type TrustLines = Record<string, GenerationLines>;

/**
 * What was rotated on this machine stays rotated: the keys are in its state, and the program
 * refuses a configuration that has lost their lines. A kind's committed lines give way while they
 * lack a generation that was made here; once they name them all, they speak again.
 *
 * @returns for each kind that gives way, this machine's lines
 */
export function rotatedHere(
  committed: TrustLines | undefined,
  rotated: TrustLines = {},
): TrustLines {
  const lacks = (kind: string, lines: GenerationLines) => {
    const named = Object.keys(committed?.[kind] ?? {});
    return Object.keys(lines).some((number) => !named.includes(number));
  };
  return Object.fromEntries(Object.entries(rotated).filter(([kind, lines]) => lacks(kind, lines)));
}
