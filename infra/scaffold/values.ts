/** Helm values of each Release of the scaffold chart 0.6.113. Pure: Outputs pass through. */
export type { Exposure, PodAnnotations, Values } from "./values/common.ts";
export { containerSecurity, ownPodSecurity, type RunAs } from "./values/security.ts";
export { ctLogValues, type CtLogArgs } from "./values/ctLog.ts";
export { fulcioValues, type FulcioArgs } from "./values/fulcio.ts";
export { fulcioConfig, type FulcioConfig } from "./values/issuers.ts";
export { rekorValues, type RekorArgs } from "./values/rekor.ts";
export { trillianValues, type TrillianArgs } from "./values/trillian.ts";
export { tsaValues, type TsaArgs } from "./values/tsa.ts";
