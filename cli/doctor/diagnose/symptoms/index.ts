import type { Evidence } from "../../evidence.ts";
import type { Symptom } from "../fault.ts";
import { otherAnswers } from "./answers.ts";
import { silentAddresses, silentServices } from "./silence.ts";

/** All that the services show and should not; those come first that others depend on. */
export function symptoms(evidence: Evidence): Symptom[] {
  return [...silentServices(evidence), ...otherAnswers(evidence), ...silentAddresses(evidence)];
}
