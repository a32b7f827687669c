import type { Fault, Repair } from "../diagnose/fault.ts";

/** A fault with what mends it. */
export type Mendable = Fault & { repair: Repair };

/**
 * What is mended first: Helm's objects, since Pulumi's update waits for their pods; then Pulumi's;
 * then what is signed with them; and pods last, which are to read what is right by then.
 */
const order: readonly Repair["type"][][] = [
  ["apply", "resume", "remake"],
  ["pulumi"],
  ["sign"],
  ["restart"],
];

/**
 * The next faults to mend together; none when nothing is left that was not tried.
 * @param tried keys of what was tried already, by `keyOf`: nothing is tried twice
 */
export function nextStep(faults: readonly Fault[], tried: ReadonlySet<string>): Mendable[] {
  const open = faults.filter(isMendable).filter((fault) => !tried.has(keyOf(fault)));
  for (const types of order) {
    const step = open.filter(({ repair }) => types.includes(repair.type));
    if (step.length > 0) return step;
  }
  return [];
}

/** Pods have another name after a restart, and the fault would seem another one. */
export function keyOf({ id, component, place, explains, repair }: Mendable): string {
  return repair.type === "restart"
    ? `${component} ${explains.join(" ")}`
    : `${repair.type} ${id} ${place}`;
}

function isMendable(fault: Fault): fault is Mendable {
  return fault.repair !== undefined;
}
