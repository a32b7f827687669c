import type { Evidence } from "../evidence.ts";
import { revisionsOf } from "./expected.ts";
import { commands, componentOf, type Fault } from "./fault.ts";

/** What Helm remembers of the Releases, which decides whether it goes on with them. */
export function helmRecords(evidence: Evidence): Fault[] {
  const { releases, outputs } = evidence.state;
  return releases.flatMap((release): Fault[] => {
    const [newest] = revisionsOf(evidence, release);
    const component = componentOf(release.namespace, outputs.prefix);
    const base = { component, place: `Release ${release.namespace}/${release.name}`, explains: [] };
    if (newest === undefined) {
      return [
        {
          ...base,
          id: "helm-record-missing",
          users: ["release: not found"],
          cause:
            "Helm's own record of the Release was deleted, so it can neither roll nor mend it.",
          command: commands.refresh,
          repair: { type: "pulumi" },
          // What it has made cannot be compared, and is made anew with it.
          explains: ["serving", "identity", "accepts"],
        },
      ];
    }
    if (newest.status.startsWith("pending-")) {
      return [
        {
          ...base,
          id: "helm-pending",
          users: ["another operation (install/upgrade/rollback) is in progress"],
          cause: `Helm was killed in revision ${newest.revision}, which is still ${newest.status}.`,
          command: commands.recover,
        },
      ];
    }
    return [];
  });
}
