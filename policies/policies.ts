import type { Policies } from "@pulumi/policy";
import { generatorsOff } from "./rules/generators.ts";
import { horizons } from "./rules/horizons.ts";
import { imagesPinned } from "./rules/images.ts";
import { announcedBeforeActive, leadTimeFloor } from "./rules/leadTime.ts";
import { namespacesRestricted, networkPolicies } from "./rules/namespaces.ts";
import { dataPersistent } from "./rules/persistence.ts";
import { podsRestricted } from "./rules/pods.ts";
import { fitsQuota } from "./rules/quota.ts";
import { limitsSet, requestsSet } from "./rules/resources.ts";
import { budgetsSet, serversReplicated, serversSpread } from "./rules/servers.ts";
import { valuesWithoutMadeSecrets, valuesWithoutSecrets } from "./rules/secrets.ts";
import { secretsProvider } from "./rules/secretsProvider.ts";
import { standInsLocal } from "./rules/standIns.ts";
import { recordsFrozen, trustProtected } from "./rules/trust.ts";

/** Every rule of the pack; a test holds docs/policies.md against this list. */
export const policies: Policies = [
  trustProtected,
  recordsFrozen,
  valuesWithoutSecrets,
  valuesWithoutMadeSecrets,
  generatorsOff,
  imagesPinned,
  podsRestricted,
  namespacesRestricted,
  networkPolicies,
  requestsSet,
  limitsSet,
  fitsQuota,
  serversReplicated,
  budgetsSet,
  serversSpread,
  dataPersistent,
  leadTimeFloor,
  announcedBeforeActive,
  horizons,
  standInsLocal,
  secretsProvider,
];
