import type { Policies } from "@pulumi/policy";
import { generatorsOff } from "./rules/generators.ts";
import { valuesWithoutMadeSecrets, valuesWithoutSecrets } from "./rules/secrets.ts";
import { recordsFrozen, trustProtected } from "./rules/trust.ts";

/** Every rule of the pack; a test holds docs/policies.md against this list. */
export const policies: Policies = [
  trustProtected,
  recordsFrozen,
  valuesWithoutSecrets,
  valuesWithoutMadeSecrets,
  generatorsOff,
];
