// The cluster's network policies are those of the table, and where they are enforced the stack needs
// each of them. The node of `npm start` enforces them while this runs.
import { setTimeout as sleep } from "node:timers/promises";
import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ObjectApi } from "../../cli/doctor/api.ts";
import { configOf, readStackFile } from "../../cli/rotate/stackFile.ts";
import { edges, podGroups } from "../../infra/platform/networkEdges.ts";
import { networkPolicies } from "../../infra/platform/networkPolicies.ts";
import { stackNamespaces } from "../../infra/scaffold/names.ts";
import { configuredSpaces } from "../../local/stack/stackFile.ts";
import { stackFile } from "../../local/stack/environment.ts";
import { waitForStack } from "../../local/stack/ready.ts";
import { endCaller, startCaller, type Caller } from "./support/caller.ts";
import { startEnforcer, type Enforcement } from "./support/enforcer.ts";
import { liveEdges, withoutEdge, type LiveEdge } from "./support/liveEdges.ts";
import { adminKubeconfig, isOurNode, whySkipped } from "./support/node.ts";
import { describeStack, verifyLocal } from "./support/stack.ts";

const asAdmin = (): KubeConfig => {
  const config = new KubeConfig();
  config.loadFromFile(adminKubeconfig());
  return config;
};

const file = { path: stackFile, name: stackFile, flags: [] };
/** The configuration that is deployed here. */
const deployed = () => configOf(readStackFile(file).text, file);

const spaces = () => {
  const { prefix, rekor } = configuredSpaces();
  return stackNamespaces(prefix, rekor);
};

await describeStack("the network policies in the cluster", () => {
  test("are the table's, each edge and nothing else", async () => {
    const api = new ObjectApi(asAdmin());
    const lists = await Promise.all(
      spaces().map((namespace) => api.list("networking.k8s.io/v1", "NetworkPolicy", namespace)),
    );
    const there = lists.flat();
    const key = (namespace: string | undefined, name: string | undefined) => `${namespace}/${name}`;
    expect(
      Object.fromEntries(
        there.map(({ metadata, ["spec"]: spec }) => [
          key(metadata?.namespace, metadata?.name),
          spec,
        ]),
      ),
    ).toEqual(
      Object.fromEntries(
        networkPolicies(deployed()).map(({ namespace, name, spec }) => [
          key(namespace, name),
          spec,
        ]),
      ),
    );
  });

  describe.skipIf(!isOurNode)(`that are enforced${whySkipped}`, () => {
    let enforcement: Enforcement;
    let config: KubeConfig;
    let live: LiveEdge[];
    const callers = new Map<string, Caller>();

    const callerOf = ({ from }: LiveEdge) =>
      callers.get(from === "elsewhere" ? from : from.name) as Caller;
    /** Policies reach the enforcer a moment after they are written. */
    const settles = async (edge: LiveEdge, wanted: boolean) => {
      for (let tries = 0; tries < 10; tries += 1) {
        if ((await callerOf(edge).succeeds(edge.command)) === wanted) return wanted;
        await sleep(500);
      }
      return !wanted;
    };

    beforeAll(async () => {
      config = asAdmin();
      enforcement = await startEnforcer();
      live = await liveEdges(config, edges(deployed()));
      const groups = podGroups(deployed());
      const image = deployed().images["curl"] ?? "";
      const froms = new Set(live.map(({ from }) => from));
      for (const from of groups.filter((group) =>
        [...froms].some((one) => one !== "elsewhere" && one.name === group.name),
      ))
        callers.set(
          from.name,
          await startCaller(config, from.namespace, { ...from.labels }, image),
        );
      callers.set("elsewhere", await startCaller(config, "default", {}, image));
    }, 900_000);

    afterAll(async () => {
      for (const caller of callers.values()) await endCaller(config, caller);
      await enforcement.stop();
    }, 60_000);

    test("leave the stack whole when all of its pods start anew, and verify passes", async () => {
      const core = config.makeApiClient(CoreV1Api);
      for (const namespace of spaces())
        await core.deleteCollectionNamespacedPod({
          namespace,
          labelSelector: "!anchorhold.dev/test",
        });
      await waitForStack(configuredSpaces(), () => undefined);
      const { code, stdout, stderr } = await verifyLocal();
      expect(code, stdout + stderr).toBe(0);
      // The pods have other addresses now.
      live = await liveEdges(config, edges(deployed()));
    }, 600_000);

    test("let each connection of the table through, and none of them once its edge is gone", async () => {
      expect(live.length).toBeGreaterThan(15);
      const outcomes: Record<string, string> = {};
      for (const edge of live) {
        const open = await settles(edge, true);
        const restore = await withoutEdge(config, edge);
        const closed = !(await settles(edge, false));
        await restore();
        const again = await settles(edge, true);
        outcomes[edge.name] = [open, closed, again].join();
      }
      console.table(outcomes);
      expect(outcomes).toEqual(
        Object.fromEntries(live.map(({ name }) => [name, "true,true,true"])),
      );
    }, 900_000);

    test("stop what the table does not say", async () => {
      const to = (part: string, port: number) => {
        const edge = live.find(
          ({ command, policy }) => policy.port === port && command.startsWith("nc"),
        );
        if (edge === undefined) throw new Error(`no edge to ${part}`);
        return edge.command;
      };
      const forbidden = [
        ["elsewhere", to("the database", 3306)],
        ["elsewhere", to("the log server", 8091)],
        ["elsewhere", to("the search index", 6379)],
        ["fulcio", to("the database", 3306)],
        ["ctlog", to("the search index", 6379)],
        ["fulcio", to("the log server", 8091)],
      ] as const;
      for (const [from, command] of forbidden)
        expect(await callers.get(from)?.succeeds(command), `${from}: ${command}`).toBe(false);
    }, 120_000);
  });
});
