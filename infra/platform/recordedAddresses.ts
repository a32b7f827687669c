import { reportAll } from "../errors.ts";
import type { Plan } from "../trust/decide.ts";
import type { Memory } from "../trust/memory.ts";
import type { Addresses } from "./exposure.ts";

/**
 * A log or timestamp authority is where its record says for ever: clients find it there, and Rekor
 * signs its host into every entry. Fulcio and the mirror are not in here, since the next publication
 * tells clients where Fulcio is, and the mirror's address is known to clients alone.
 * @param hostname what a Rekor generation would sign as
 * @throws UserError with every generation that would move
 */
export function assertSameAddresses(
  { kinds }: Pick<Memory, "kinds">,
  plan: Plan,
  at: Addresses,
  hostname: (generation: number) => string,
): void {
  const served = (kind: "rekor" | "ctLog" | "tsa") =>
    plan[kind].exists.filter((n) => !plan[kind].keyless.includes(n));
  const moved = (kind: "rekor" | "ctLog" | "tsa", n: number, was?: string, is?: string) =>
    was === undefined || was === is
      ? []
      : [`generation ${n} of ${kind} is recorded as ${was}, anchorhold:exposure makes it ${is}`];
  const problems = [
    ...served("rekor").flatMap((n) => {
      const { baseUrl, origin } = kinds.rekor.records[n] ?? {};
      const address = moved("rekor", n, baseUrl, at.rekor(n));
      return address.length > 0 ? address : moved("rekor", n, origin, hostname(n));
    }),
    ...served("ctLog").flatMap((n) =>
      moved("ctLog", n, kinds.ctLog.records[n]?.baseUrl, at.ctLog(n)),
    ),
    ...served("tsa").flatMap((n) => moved("tsa", n, kinds.tsa.records[n]?.uri, at.tsa)),
  ];
  if (problems.length > 0)
    throw reportAll(
      "This update is refused; nothing was changed. Clients find what was recorded at its recorded " +
        "address for ever, so set it back in anchorhold:exposure:",
      problems,
    );
}
