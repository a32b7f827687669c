import { KubeConfig } from "@kubernetes/client-node";
import { ObjectApi } from "../../../cli/doctor/api.ts";
import { collect } from "../../../cli/doctor/collect/index.ts";
import { stackState } from "../../../cli/doctor/collect/state.ts";
import type { Hands } from "../../../cli/doctor/fix/index.ts";
import { parseState } from "../../../cli/state.ts";
import type { ProgramUnderTest } from "./stack.ts";

/** What doctor mends with: the program's own cluster, engine and state. */
export function handsOn(program: ProgramUnderTest): Hands {
  const config = new KubeConfig();
  config.loadFromFile(program.kubeconfig);
  return {
    api: new ObjectApi(config),
    pulumi: (args) => program.engine.pulumi([...args, "--stack", "local"]),
    say: () => undefined,
    look: async () => {
      const { text } = await program.engine.exportState();
      const state = stackState(parseState(text, "the state"), "the state");
      return collect({ state, locks: [] }, config);
    },
  };
}

/** Every key and password of the program's state, in the clear. */
export async function keysOf(program: ProgramUnderTest): Promise<unknown[]> {
  const { state } = await program.engine.exportState({ showSecrets: true });
  return (state.deployment.resources ?? [])
    .filter(({ type }) => /^(tls|random):/.test(type))
    .map(({ urn, outputs }): [string, unknown] => [urn, outputs])
    .sort(([a], [b]) => a.localeCompare(b));
}
