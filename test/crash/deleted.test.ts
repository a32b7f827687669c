import { afterAll, describe, expect, test } from "vitest";
import { diagnose } from "../../cli/doctor/diagnose/index.ts";
import { mend } from "../../cli/doctor/fix/index.ts";
import type { KubeObject } from "../../cli/doctor/kubernetes.ts";
import { refOf } from "../../local/pulumi/kubernetes/cluster.ts";
import { handsOn, keysOf } from "../engine/support/hands.ts";
import { deploy, NodePorts } from "../engine/support/scene.ts";
import { trySign } from "../engine/support/signer.ts";
import { contents } from "../support/contents.ts";

// Every object of the stack, deleted behind Pulumi's back: `anchorhold doctor --fix` brings back the
// same bytes, or there is nothing to bring back and `pulumi up --refresh` does.

const ports = new NodePorts();
const { program } = await deploy(ports);
ports.stage = program.served;
const saved = program.save();
const { cluster } = program.engine;
const objects = cluster.all();

const hands = handsOn(program);

afterAll(async () => {
  await program.close();
  ports.close();
});

/** What may come back otherwise, and why. */
const otherwise: readonly [RegExp, string][] = [
  [/^Secret .*\/sh\.helm\.release\./, "Helm counts another revision"],
  [/^ConfigMap .*\/tuf-timestamp$/, "what was signed is lost: it is signed anew"],
  [/^Job .*-doctor-/, "doctor has signed with it"],
];

const lasting = () =>
  Object.fromEntries(
    Object.entries(contents(cluster.all() as unknown as KubeObject[])).filter(
      ([title]) => !otherwise.some(([pattern]) => pattern.test(title)),
    ),
  );
const before = lasting();
const mirror = (await hands.look()).state.outputs.mirror.url;

const keysBefore = await keysOf(program);

/** A volume takes its data along, and its namespace the volume: only a backup brings that back. */
const volumes = objects.map(refOf).filter(({ kind }) => kind === "PersistentVolumeClaim");
const lost = objects.filter((object) => {
  const { kind, name } = refOf(object);
  if (kind === "Namespace") return volumes.some(({ namespace }) => namespace === name);
  return kind === "PersistentVolumeClaim";
});

async function deleteAndMend(...gone: typeof objects) {
  await program.restore(saved);
  for (const object of gone) await cluster.delete(refOf(object));
  const evidence = await hands.look();
  const faults = diagnose(evidence).map(({ id, place }) => `${id} ${place}`);
  const { refused, evidence: after } = await mend(evidence, hands);
  if (faults.length === 0) (await program.engine.up("--refresh")).expectSuccess();
  return { faults, refused, left: diagnose(after).map(({ id, place }) => `${id} ${place}`) };
}

describe("an object is deleted:", { timeout: 120_000 }, () => {
  const single = objects
    .filter((object) => !lost.includes(object))
    .map((object) => {
      const { kind, namespace, name } = refOf(object);
      return [`${kind} ${namespace}/${name}`, object] as const;
    });

  test.each(single)("%s", async (_, object) => {
    const { refused, left } = await deleteAndMend(object);
    expect({ refused, left }).toEqual({ refused: [], left: [] });
    expect(lasting()).toEqual(before);
    expect(await keysOf(program)).toEqual(keysBefore);
    expect(await trySign(program.served, mirror)).toEqual({ result: "signed" });
  });

  test.each(lost.map((object) => [refOf(object), object] as const))(
    "$kind $name, with data: doctor names the backup",
    async (_, object) => {
      await program.restore(saved);
      await cluster.delete(refOf(object));
      expect(diagnose(await hands.look())).toMatchObject([
        { command: expect.stringContaining("anchorhold restore") as string },
      ]);
    },
  );

  test("all of them at once, but for the volumes", async () => {
    const { refused, left } = await deleteAndMend(
      ...objects.filter((object) => !lost.includes(object) && refOf(object).kind !== "Namespace"),
    );
    expect({ refused, left }).toEqual({ refused: [], left: [] });
    expect(lasting()).toEqual(before);
    expect(await keysOf(program)).toEqual(keysBefore);
  });
});
