import type { Evidence, Replica } from "../evidence.ts";
import { clockTolerance } from "../../../infra/observe/horizon.ts";
import type { Fault } from "./fault.ts";

/** Machines in the cluster whose clock is not this machine's; who is right is for people to say. */
export function clocks({ now, served }: Evidence): Fault[] {
  const replicas: readonly Replica<unknown>[] = [
    ...served.fulcio,
    ...served.ctLog,
    ...served.tsa,
    ...served.tuf,
    ...Object.values(served.rekor).flat(),
  ];
  const wrong = replicas.flatMap(({ namespace, pod, clock }) => {
    const seconds = clock === undefined ? 0 : Math.round((clock.getTime() - now.getTime()) / 1000);
    return Math.abs(seconds) > clockTolerance ? [{ place: `${namespace}/${pod}`, seconds }] : [];
  });
  const [first] = wrong.sort((a, b) => Math.abs(b.seconds) - Math.abs(a.seconds));
  if (first === undefined) return [];
  const { place, seconds } = first;
  const direction = seconds < 0 ? "behind" : "ahead of";
  return [
    {
      id: "clock-differs",
      component: "stack",
      place: "the cluster's nodes",
      users: ["expired at", "x509: certificate has expired or is not yet valid"],
      cause:
        `The clocks of ${wrong.length} of ${replicas.length} pods are ${direction} this machine's, ` +
        `that of ${place} by ${Math.abs(seconds)} s: signatures get wrong times, and TUF expires ` +
        "for one of them.",
      command: "timedatectl set-ntp true",
      explains: ["fresh"],
    },
  ];
}
