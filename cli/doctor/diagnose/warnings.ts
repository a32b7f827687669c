import {
  certificateWarnDays,
  timestampWarnShare,
  warnDays,
} from "../../../infra/observe/horizon.ts";
import { roles, type Role } from "../../../infra/observe/mirror.ts";
import type { Evidence } from "../evidence.ts";
import { usedChains } from "./certificates.ts";

/** What is well, but not for long. */
export interface Warning {
  place: string;
  text: string;
  /** What keeps it from becoming a fault. */
  command: string;
}

const daySeconds = 86_400;

export function warnings(evidence: Evidence): Warning[] {
  return [...updates(evidence), ...endingCertificates(evidence), ...endingRoles(evidence)];
}

/** An update that runs is between two states, and what is found may be its own doing. */
function updates({ locks }: Evidence): Warning[] {
  return locks
    .filter(({ owner }) => owner !== "dead")
    .map(({ why }) => ({
      place: "the stack's lock",
      text: `an update may be running: ${why}`,
      command: "wait for it and look again",
    }));
}

function endingCertificates({ state: { outputs }, now }: Evidence): Warning[] {
  return usedChains(outputs).flatMap(({ kind, generation, ends }) => {
    const left = days(ends, now);
    if (left <= 0 || left >= certificateWarnDays) return [];
    return [
      {
        place: `${kind} generation ${generation}`,
        text: `its certificate ends in ${left.toFixed(0)} d, at ${ends.toISOString()}`,
        command: `announce the next generation in anchorhold:trust.${kind} and run pulumi up`,
      },
    ];
  });
}

/** Seen on the first pod of the mirror that answers; there is one. */
function endingRoles({ served, state: { outputs }, now }: Evidence): Warning[] {
  const answer = served.tuf.find((replica) => replica.answer !== undefined)?.answer;
  if (answer === undefined || answer.refused !== undefined) return [];
  const least: Record<Role, number> = {
    ...warnDays,
    timestamp: (outputs.tuf.timestampLifeSeconds * timestampWarnShare) / daySeconds,
  };
  return roles.flatMap((role) => {
    const left = days(answer.roles[role].expires, now);
    if (left <= 0 || left >= least[role]) return [];
    return [
      {
        place: `TUF ${role}`,
        text: `expires in ${left.toFixed(1)} d`,
        command: role === "timestamp" ? renewal : "pulumi up",
      },
    ];
  });
}

const renewal =
  "kubectl get cronjobs,jobs,pods -A -l app.kubernetes.io/name=tuf-signer (it is renewed every day)";

function days(end: Date, now: Date): number {
  return (end.getTime() - now.getTime()) / 1000 / daySeconds;
}
