import * as pulumi from "@pulumi/pulumi";
import type { Issuer } from "../config/issuers.ts";
import { reportAll } from "../errors.ts";
import { askIssuer } from "../observe/discovery.ts";
import { canBeAsked, judge } from "./issuers.ts";

/**
 * Asks every issuer for its discovery document before anything is registered, in previews too. One
 * that does not answer is a warning: it may be away for the moment, or answer to the cluster alone.
 * @throws UserError that names each issuer whose answer Fulcio could not work with
 */
export async function lookAtIssuers(issuers: readonly Issuer[]): Promise<void> {
  const judged = await Promise.all(
    issuers.map(async ({ issuer }, index) => ({
      issuer,
      place: `anchorhold:issuers.${index}.issuer`,
      judgement: canBeAsked(issuer) ? judge(issuer, await askIssuer(issuer)) : undefined,
    })),
  );
  const wrong = judged.flatMap(({ place, judgement }) =>
    judgement?.result === "wrong" ? [`${place}: ${judgement.why}`] : [],
  );
  if (wrong.length > 0)
    throw reportAll(
      "Fulcio could not work with what these issuers answer; nothing was changed:",
      wrong,
    );
  for (const { issuer, judgement } of judged)
    if (judgement?.result === "silent")
      await pulumi.log.warn(
        `The token issuer ${issuer} does not answer from here (${judgement.why}). Nobody can sign with its ` +
          "tokens until it answers Fulcio; all others can.",
      );
}
