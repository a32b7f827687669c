import type { Fault } from "./cluster.ts";
import { objectFaults } from "./objects.ts";
import { secretFaults } from "./secrets.ts";
import { tufFaults } from "./tuf.ts";

export type { Fault } from "./cluster.ts";

/** Every fault that can be done to a cluster, real or in memory. */
export const faults: readonly Fault[] = [...secretFaults, ...objectFaults, ...tufFaults];
