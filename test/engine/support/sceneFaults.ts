import { otherCa } from "../../support/faults/secrets.ts";
import { changedByte, edit, find, rewrite, type Fault } from "../../support/faults/cluster.ts";
import { faults } from "../../support/faults/index.ts";
import type { Scene } from "./scene.ts";

/** A fault that may also lie in the state, the clock, the network or a process. */
export type SceneFault = Pick<Fault, "name" | "expects" | "mender" | "part" | "byte"> & {
  inject(scene: Scene): Promise<void>;
};

interface State {
  deployment: {
    resources: { urn: string; type: string; outputs?: Record<string, unknown> }[];
    pending_operations: unknown[] | null;
  };
}

function editState(scene: Scene, change: (state: State["deployment"]) => void): Promise<void> {
  const state = JSON.parse(scene.state) as State;
  change(state.deployment);
  scene.state = JSON.stringify(state);
  return Promise.resolve();
}

const elsewhere: readonly SceneFault[] = [
  {
    name: "the cluster's clock is ten minutes behind",
    expects: "clock-differs",
    part: "nodes",
    mender: "people",
    inject(scene) {
      scene.ahead = 600_000;
      return Promise.resolve();
    },
  },
  {
    name: "Fulcio's pods still use the CA of a Secret that was mended",
    expects: "pods-outdated",
    part: "fulcio",
    mender: "doctor",
    async inject(scene) {
      const place = ["Secret", "fulcio", "fulcio-signer"] as const;
      const { privateKeyPem, chain } = await otherCa();
      const right = scene.cluster.clone();
      await edit(scene.target, place, (secret) => {
        rewrite(secret, "cert", () => chain);
        rewrite(secret, "private", () => privateKeyPem);
      });
      scene.hold("fulcio");
      scene.restore(right);
    },
  },
  {
    name: "an update was killed and has left its lock",
    expects: "lock-left",
    part: "state",
    mender: "people",
    inject(scene) {
      scene.locks.push({ owner: "dead", why: "somebody@here, process 7: that process has ended" });
      return Promise.resolve();
    },
  },
  {
    name: "an update was killed in an operation",
    expects: "update-unfinished",
    part: "state",
    mender: "people",
    inject: (scene) =>
      editState(scene, (state) => {
        const [resource] = state.resources;
        state.pending_operations = [{ resource, type: "updating" }];
      }),
  },
  {
    name: "the state has lost the key of the CT log",
    expects: "key-lost",
    part: "state",
    mender: "people",
    inject: (scene) =>
      editState(scene, (state) => {
        state.resources = state.resources.filter(({ urn }) => !urn.endsWith("::ctlog-1-key"));
      }),
  },
  {
    name: "the state is older than what was served",
    expects: "state-old",
    part: "tuf",
    mender: "people",
    inject: ({ target }) =>
      edit(target, ["ConfigMap", "tuf", "tuf-timestamp"], (map) =>
        rewrite(map, "last", (text) => changedByte(text, /"snapshotVersion":\d/)),
      ),
  },
  {
    name: "Rekor's database is older than the log",
    expects: "log-forked",
    part: "rekor-1",
    mender: "people",
    inject: (scene) =>
      editState(scene, (state) => {
        const stack = state.resources.find(({ type }) => type === "pulumi:pulumi:Stack");
        const text = JSON.stringify(stack!.outputs);
        const ahead = '"rekor-1":{"rootHash":"' + "0".repeat(64) + '","size":9}';
        stack!.outputs = JSON.parse(
          text.replaceAll(/"rekor-1":\{"rootHash":"\w+","size":\d+\}/g, ahead),
        ) as Record<string, unknown>;
        if (JSON.stringify(stack!.outputs) === text) throw new Error("no checkpoint");
      }),
  },
  {
    name: "the way to the TSA is closed",
    expects: "address-unreachable",
    part: "tsa",
    mender: "people",
    inject(scene) {
      scene.served.unreachable = Number(new URL(scene.outputs.services.tsa).port);
      return Promise.resolve();
    },
  },
  {
    name: "Helm's record of the TSA is deleted",
    expects: "helm-record-missing",
    part: "tsa",
    mender: "pulumi",
    async inject({ target }) {
      await target.cluster.delete(
        await find(target, ["Secret", "tsa", "sh.helm.release.v1.tsa.v"]),
      );
    },
  },
];

/** Every fault that a scene can have. */
export const sceneFaults: readonly SceneFault[] = [
  ...faults.map((fault): SceneFault => ({
    ...fault,
    inject: ({ target }) => fault.inject(target),
  })),
  ...elsewhere,
];
