import type { SceneFault } from "./sceneFaults.ts";

/**
 * Faults that cannot be seen while another one is there, each with the reason; they are found when
 * that one is mended. But for an update that was killed, both lie in the same part of the stack.
 */
const hidden: readonly { fault: RegExp; by: RegExp; because: string }[] = [
  { fault: /./, by: /^missing-namespace$/, because: "all is gone with the namespace" },
  {
    fault: /^pods-outdated$/,
    by: /^(fulcio-(ca|key|ct)|other-secret|missing-(?!networkpolicy)|service-selector)/,
    because: "the pods are not asked, are new ones, or read what is wrong as well",
  },
  {
    fault: /^log-forked$/,
    by: /^(rekor-|missing-service|service-port)/,
    because: "the log does not answer as itself, so it cannot prove anything",
  },
  {
    fault: /^address-unreachable$/,
    by: /^(tsa-|scaled-to-zero|missing-secret|helm-record)/,
    because: "nobody would answer if the way were open",
  },
  {
    fault: /^(tsa-chain|scaled-to-zero)/,
    by: /^helm-record-missing$/,
    because: "nothing tells any more how the objects should be",
  },
  { fault: /^tsa-chain-misordered$/, by: /^tsa-chain-changed$/, because: "it is one file" },
  { fault: /^tuf-timestamp-expired$/, by: /^tuf-timestamp-changed$/, because: "it is one file" },
  {
    fault: /^state-old$/,
    by: /^tuf-timestamp-record-changed$/,
    because: "what tells it cannot be read",
  },
  {
    fault: /^state-old$/,
    by: /^update-unfinished$/,
    because: "an unfinished update explains what is newer",
  },
];

/** What is found of two faults together: `id place` of each that the other one does not hide. */
export function visible(
  [one, ofOne]: readonly [SceneFault, readonly string[]],
  [other, ofOther]: readonly [SceneFault, readonly string[]],
): Set<string> {
  return new Set([
    ...(hides(other, ofOther, one, ofOne) ? [] : ofOne),
    ...(hides(one, ofOne, other, ofOther) ? [] : ofOther),
  ]);
}

function hides(
  by: SceneFault,
  found: readonly string[],
  fault: SceneFault,
  ofFault: readonly string[],
): boolean {
  const placeOf = (findings: readonly string[]) =>
    findings.map((text) => text.replace(/^\S+ /, ""));
  // What is deleted has no fields that could be wrong.
  const gone = by.expects.startsWith("missing-") && !fault.expects.startsWith("missing-");
  if (gone && placeOf(found).join() === placeOf(ofFault).join()) return true;
  const near = by.part === fault.part || by.expects === "update-unfinished";
  return (
    near &&
    hidden.some(
      (rule) => rule.fault.test(fault.expects) && rule.by.test(by.expects) && by !== fault,
    )
  );
}
