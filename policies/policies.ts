import type { Policies } from "@pulumi/policy";
import { recordsFrozen, trustProtected } from "./rules/trust.ts";

/** Every rule of the pack; a test holds docs/policies.md against this list. */
export const policies: Policies = [trustProtected, recordsFrozen];
