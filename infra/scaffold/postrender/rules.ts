import { withAssignedIds } from "./assigned.ts";
import { withBudgets } from "./budgets.ts";
import { withFlagFile } from "./flagFile.ts";
import { onlyKnown } from "./known.ts";
import type { Manifest } from "./manifest.ts";
import { outward } from "./outward.ts";
import { probed } from "./probes.ts";
import { withPullSecrets } from "./pullSecrets.ts";
import { withoutToken, withoutUnusedRights } from "./rights.ts";
import { rolling } from "./rolling.ts";
import { withScratch } from "./scratch.ts";
import { withTlsProxies } from "./tlsProxy.ts";

/**
 * What happens to the chart's manifests between Helm's rendering and the cluster. Pure; nothing in
 * this folder imports anything of Pulumi's, because Helm runs it as a program of its own for every
 * Release. Generator Jobs go with their rights, pods lose the API token, no password is on a command
 * line, probes are mended, the TSA gets pull secrets, the cluster may choose user ids, MySQL's image is
 * read-only, servers get TLS in front where the values say so, servers that call others get CAs, proxy
 * and time servers, and all get what the chart lacks to roll. To run it again changes nothing.
 * @throws Error that names every object that is not known, or a command line that shows a Secret
 */
export function postrender(manifests: readonly Manifest[]): Manifest[] {
  const wanted = withoutUnusedRights(onlyKnown(manifests));
  const able = wanted.map(withoutToken).map(withFlagFile).map(probed).map(withPullSecrets);
  const scratched = able.map(withAssignedIds).map(withScratch).map(outward);
  return withBudgets(withTlsProxies(scratched).map(rolling));
}
