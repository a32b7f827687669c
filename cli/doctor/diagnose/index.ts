import type { Evidence } from "../evidence.ts";
import { endedCertificates } from "./certificates.ts";
import { clocks } from "./clock.ts";
import { needs, type Fault, type Symptom } from "./fault.ts";
import { helmRecords } from "./helm.ts";
import { changedObjects, missingObjects } from "./objects.ts";
import { changedSecrets } from "./secrets.ts";
import { forkedLogs, leftLocks, lostKeys, oldState, unfinishedUpdate } from "./stack.ts";
import { symptoms } from "./symptoms/index.ts";
import { timestamps } from "./timestamps.ts";

/** Finds causes: something that is stored, recorded or set otherwise than it should be. */
type Family = (evidence: Evidence) => Fault[];

const families: readonly Family[] = [
  leftLocks,
  unfinishedUpdate,
  oldState,
  lostKeys,
  helmRecords,
  missingObjects,
  changedObjects,
  changedSecrets,
  timestamps,
  endedCertificates,
  forkedLogs,
  clocks,
];

/**
 * Names every fault of a stack once, by its cause. What the services show to the outside is
 * compared as well, and is a fault of its own only where no cause explains it.
 */
export function diagnose(evidence: Evidence): Fault[] {
  const causes = withoutContents(families.flatMap((family) => family(evidence)));
  return symptoms(evidence).reduce<Fault[]>(
    (found, symptom) =>
      found.some((fault) => explains(fault, symptom)) ? found : [...found, symptom],
    causes,
  );
}

/** What lay in a namespace is gone with it. */
function withoutContents(faults: readonly Fault[]): Fault[] {
  const gone = faults
    .filter(({ id }) => id === "missing-namespace")
    .map(({ place }) => ` ${place.slice("Namespace ".length)}/`);
  return faults.filter(({ place }) => !gone.some((inside) => place.includes(inside)));
}

/** A service does not answer either when what it needs does not. */
function explains(fault: Fault, { component, aspect }: Symptom): boolean {
  if (fault.component === component) return fault.explains.includes(aspect);
  if (fault.component === "stack") return fault.explains.includes(aspect);
  return (
    aspect === "serving" &&
    needs(component).includes(fault.component) &&
    fault.explains.includes("serving")
  );
}
