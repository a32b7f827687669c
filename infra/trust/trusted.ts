import type { TrustRecords } from "./trustedRoot.ts";
import type { Records } from "../outputs.ts";

/** What became of a kind's generations, as far as clients are concerned. */
export interface Ends {
  /** Generation number → end of its window, RFC 3339. */
  ends: Readonly<Record<string, string>>;
  distrusted: Readonly<Record<string, unknown>>;
}

type Kinds = keyof TrustRecords;

/** The records with their windows: all that the published documents are made from. */
export function trusted(
  records: Pick<Records, Kinds>,
  life: Readonly<Record<Kinds, Ends>>,
): TrustRecords {
  const of = <R>(all: Record<string, R>, { ends, distrusted }: Ends) =>
    Object.entries(all).map(([number, record]) => ({
      ...record,
      end: ends[number],
      distrusted: number in distrusted,
    }));
  return {
    fulcioCa: of(records.fulcioCa, life.fulcioCa),
    ctLog: of(records.ctLog, life.ctLog),
    rekor: of(records.rekor, life.rekor),
    tsa: of(records.tsa, life.tsa),
  };
}
