import type { KubeConfig } from "@kubernetes/client-node";
import { logTarget } from "../../../infra/expectations.ts";
import { growthOf, type Growth, type RecordedLog } from "../../../infra/observe/growth.ts";
import type { StackOutputs } from "../../../infra/outputs.ts";
import { lastCheckpoints } from "../../../infra/preflight/stack.ts";
import { slugs } from "../../../infra/trust/memory.ts";
import { isServed } from "./served.ts";

/** Asks each served log whether it only adds to its last recorded checkpoint. */
export async function collectGrowth(config: KubeConfig, outputs: StackOutputs): Promise<Growth[]> {
  return await growthOf(config, recordedLogs(outputs));
}

function recordedLogs({ prefix, records, life }: StackOutputs): RecordedLog[] {
  const checkpoints = lastCheckpoints({ kinds: life });
  return (["ctLog", "rekor"] as const).flatMap((kind) =>
    Object.entries(records[kind]).flatMap(([number, record]): RecordedLog[] => {
      const name = `${slugs[kind]}-${number}`;
      const recorded = checkpoints[name];
      if (recorded === undefined || !isServed(life[kind].states[number])) return [];
      return [{ ...logTarget(kind, prefix, record), name, recorded }];
    }),
  );
}
