// An issuer is added to the configuration and removed again while others sign without a pause.
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { addresses } from "../../local/node/layout.ts";
import { GitLabStandIn } from "../support/issuer/gitLabStandIn.ts";
import { personClaims } from "../support/issuer/gitLabClaims.ts";
import { askFulcio, type Named } from "./support/certificateOf.ts";
import { Load } from "./support/load/load.ts";
import { RollWatcher } from "./support/load/rollWatcher.ts";
import { isOurNode, whySkipped } from "./support/node.ts";
import type { Rotation } from "./support/rotation.ts";
import { withIssuers } from "./support/settings.ts";
import { describeStack, type Stack } from "./support/stack.ts";

await describeStack("an issuer, added and removed under load", (stack) => {
  describe.skipIf(!isOurNode)(`of this machine${whySkipped}`, () => suite(stack));
});

function suite({ outputs, cosign }: Stack): void {
  const log = join(tmpdir(), `anchorhold-issuer-change-${process.pid}.jsonl`);
  let gitLab: GitLabStandIn;
  let settings: Rotation;
  let load: Load;
  let rolls: RollWatcher;
  let isChanged = false;
  /** What Fulcio said to a person's token in each phase. */
  const answers: Record<string, Named | { refused: string }> = {};

  const ask = () => {
    const application = { clientId: gitLab.clientId };
    const token = gitLab.key.token(personClaims(gitLab.url, gitLab.person, application));
    return askFulcio(outputs.services.fulcio, token);
  };

  beforeAll(async () => {
    gitLab = await GitLabStandIn.start({ host: addresses.node });
    settings = await withIssuers([
      { type: "email", issuer: gitLab.url, clientId: gitLab.clientId },
    ]);
    rolls = new RollWatcher(`${outputs.prefix}-`);
    load = await Load.start({ outputs, cosign, signers: 4, verifiers: 2, log });
    answers["before"] = await ask();
    load.mark("added");
    isChanged = true;
    await settings.begin();
    await rolls.settled();
    answers["with it"] = await ask();
    load.mark("removed");
    await settings.restore();
    isChanged = false;
    await rolls.settled();
    answers["without it"] = await ask();
    await load.stop();
    await rolls.stop();
  });
  afterAll(async () => {
    await load.stop();
    // Whatever happened above: the stack as it was.
    if (isChanged) await settings.restore();
    await gitLab.close();
    await rm(log, { force: true });
  });

  test("its tokens are taken while it is listed, and only then", () => {
    expect(answers).toEqual({
      before: { refused: expect.stringMatching(/^HTTP 400 /) as string },
      "with it": expect.objectContaining({ san: `email:${gitLab.person.email}` }) as Named,
      "without it": { refused: expect.stringMatching(/^HTTP 400 /) as string },
    });
  });

  test("Fulcio rolled each time, and nobody else's signature failed", () => {
    const fulcio = rolls.rolls.filter(({ deployment }) => deployment.endsWith("/fulcio-server"));
    expect(fulcio).toHaveLength(2);
    console.log(load.table());
    const { sign, verify, failures } = load.report();
    expect(failures).toEqual([]);
    expect([sign.failed, verify.failed]).toEqual([0, 0]);
    for (const { from, to } of fulcio)
      expect(load.report({ from, to }).sign.ok, "signed while Fulcio rolled").toBeGreaterThan(8);
    expect(load.ended).toEqual([]);
  });
}
