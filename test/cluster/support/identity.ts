import { expectedIdentity, identityToken } from "../../../cli/verify/token.ts";
import type { StackOutputs } from "../../../infra/outputs.ts";

/** Whom the probe's tokens name, as clients must state it. */
export interface Identity {
  name: string;
  issuer: string;
}

/** A fresh token of the cluster's own issuer for the stack's probe account. */
export const newToken = (outputs: StackOutputs) => identityToken({}, outputs);

/** Half the life of the probe's tokens, in ms. */
const tokenAge = 5 * 60_000;

/** Tokens for who signs often: one is used until half of its ten minutes are over. */
export function cachedToken(outputs: StackOutputs): () => Promise<string> {
  let kept: { token: string; at: number } | undefined;
  return async () => {
    if (kept === undefined || Date.now() - kept.at > tokenAge)
      kept = { token: await newToken(outputs), at: Date.now() };
    return kept.token;
  };
}

export async function probeIdentity(outputs: StackOutputs): Promise<Identity> {
  const { name, issuer } = expectedIdentity(await newToken(outputs), outputs);
  if (name === undefined) throw new Error("the probe's identity is not known");
  return { name, issuer };
}
