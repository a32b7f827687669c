// A second stack of the same program beside the first, on the same cluster: both are whole, and what
// one has signed is worth nothing to whoever trusts the other.
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { StackOutputs } from "../../infra/outputs.ts";
import { found, keptAttestation, uploadAttestation } from "../support/attestation.ts";
import { SigstoreJs } from "./support/js.ts";
import { arbitraryUser, SecondStack } from "./support/secondStack.ts";
import {
  anchorholdVerify,
  describeStack,
  probeIdentity,
  verifyLocal,
  type Identity,
} from "./support/stack.ts";

await describeStack("two stacks on one cluster", ({ outputs }) => {
  let second: SecondStack;
  let parties: { client: SigstoreJs; identity: Identity }[];

  const party = async (of: StackOutputs) => ({
    client: await SigstoreJs.start({ outputs: of }),
    identity: await probeIdentity(of),
  });

  beforeAll(async () => {
    second = await SecondStack.deploy();
    parties = [await party(outputs), await party(await second.outputs())];
  });

  afterAll(async () => {
    for (const { client } of parties) await client.dispose();
    await second.remove();
  });

  test("both verify", async () => {
    const [first, other] = [
      await verifyLocal(),
      await anchorholdVerify("--outputs", second.outputsFile),
    ];
    expect(first.code, first.stdout).toBe(0);
    expect(other.code, other.stdout).toBe(0);
  });

  test("the second runs as a user that no image knows, in group 0, under the restricted standard", async () => {
    const pods = await second.pods();
    const users = pods.flatMap(({ spec }) =>
      [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].map(
        ({ name, securityContext: own }) => ({
          name,
          user: own?.runAsUser ?? spec?.securityContext?.runAsUser,
          group: own?.runAsGroup ?? spec?.securityContext?.runAsGroup,
        }),
      ),
    );
    expect(users.length).toBeGreaterThan(12);
    expect(users.filter(({ user, group }) => user !== arbitraryUser || group !== 0)).toEqual([]);
    expect(await second.podSecurity()).toEqual(new Set(["restricted"]));
  });

  test("the second has its attestations and its search index when all pods of its Rekor are replaced", async () => {
    const { rekor } = (await second.outputs()).services;
    const { statement, logIndex } = await uploadAttestation(rekor, "kept on a volume");
    const soon = { timeout: 10_000 }; // Rekor keeps both after it has answered
    await expect.poll(() => keptAttestation(rekor, logIndex), soon).toBe(statement);
    await expect.poll(() => found(rekor, statement), soon).toHaveLength(1);
    await second.replaceRekorPods();
    expect(await keptAttestation(rekor, logIndex)).toBe(statement);
    expect(await found(rekor, statement)).toHaveLength(1);
  });

  test.each([
    ["the first", 0, 1],
    ["the second", 1, 0],
  ])("a bundle of %s verifies there and not at the other", async (_, here, there) => {
    const [own, other] = [parties[here]!, parties[there]!];
    const data = randomBytes(64);
    const bundle = await own.client.sign(data);
    await expect(own.client.verify(data, bundle, own.identity)).resolves.toBeUndefined();
    // The other's own rule is that of the signer's identity: nothing but its keys can refuse.
    await expect(other.client.verify(data, bundle, own.identity)).rejects.toThrow();
  });
});
