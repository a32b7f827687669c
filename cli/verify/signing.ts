import { randomBytes } from "node:crypto";
import type { Bundle } from "@sigstore/bundle";
import { SigningConfig, TrustedRoot } from "@sigstore/protobuf-specs";
import { bundleBuilderFromSigningConfig } from "@sigstore/sign";
import { toSignedEntity, type Verifier } from "@sigstore/verify";
import { accepts, strictVerifier } from "../../infra/observe/verifier.ts";
import { evidenceOf } from "../../infra/observe/evidence.ts";
import { fail, ok, type Check, type Context, type Verdict } from "./finding.ts";
import type { Mirror } from "../../infra/observe/mirror.ts";
import { expectedIdentity } from "./token.ts";

/**
 * Signs random bytes and verifies them, by discovery alone: the mirror names the services and the
 * keys. One check after the other, since each needs what the former made.
 */
export function signingChecks(): Check[] {
  const signed = once((context: Context) => signRandom(context));
  const made = (context: Context) =>
    signed(context).catch(() => {
      throw new Error("nothing to check: no signature was made, see above");
    });
  const check = (title: string, hint: string, run: Check["run"]): Check => ({
    service: "signing",
    title,
    hint,
    expected: "a signature that verifies",
    run,
  });
  return [
    check(
      "sign",
      "Mend what fails above first. For the token: --identity-token-file, SIGSTORE_ID_TOKEN, or " +
        "a KUBECONFIG whose user may create serviceaccounts/token for the probe.",
      async (context) => describe((await signed(context)).bundle),
    ),
    check(
      "evidence in the bundle",
      "A service was left out when signing: see signing_config.v0.2.json and Fulcio's --ct-log-url.",
      async (context) => judgeEvidence((await made(context)).bundle),
    ),
    check(
      "verify",
      "What the services signed does not match what TUF publishes: see the checks above.",
      async (context) => {
        const { bundle, artifact, token } = await made(context);
        const verifier = await verifierOf(await context.mirror());
        return judgeVerify(
          verifier,
          { bundle, artifact },
          expectedIdentity(token, context.outputs),
        );
      },
    ),
  ];
}

interface Signed {
  bundle: Bundle;
  artifact: Buffer;
  token: string;
}

async function signRandom(context: Context): Promise<Signed> {
  const token = await context.identityToken();
  const mirror = await context.mirror();
  const signingConfig = SigningConfig.fromJSON(
    JSON.parse(await mirror.target("signing_config.v0.2.json")),
  );
  const builder = bundleBuilderFromSigningConfig({
    signingConfig,
    identityProvider: { getToken: () => Promise.resolve(token) },
    bundleType: "messageSignature",
    fetchOptions: { timeout: 10_000, retry: { retries: 1 } },
  });
  const artifact = randomBytes(64);
  return { bundle: await builder.create({ data: artifact }), artifact, token };
}

/** A verifier that trusts what the mirror publishes and insists on each kind of evidence. */
export async function verifierOf(mirror: Pick<Mirror, "target">): Promise<Verifier> {
  return strictVerifier(TrustedRoot.fromJSON(JSON.parse(await mirror.target("trusted_root.json"))));
}

function describe(bundle: Bundle): Verdict {
  const [entry] = bundle.verificationMaterial.tlogEntries;
  return ok(`bundle made, Rekor entry ${entry?.logIndex ?? "(none)"}`);
}

/** SCT, Rekor inclusion proof and TSA timestamp must all be there. */
export function judgeEvidence(bundle: Bundle): Verdict {
  const { scts, proofs, timestamps } = evidenceOf(bundle);
  const seen = `${scts.length} SCT, ${proofs.length} inclusion proof, ${timestamps.length} timestamp`;
  const complete = [scts, proofs, timestamps].every((list) => list.length > 0);
  return complete ? ok(seen) : fail(seen, "at least one of each");
}

/** The right bytes must pass and changed bytes must not: a verifier that takes all proves nothing. */
function judgeVerify(
  verifier: Verifier,
  { bundle, artifact }: Pick<Signed, "bundle" | "artifact">,
  identity: ReturnType<typeof expectedIdentity>,
): Verdict {
  const signer = verifier.verify(toSignedEntity(bundle, artifact), {
    extensions: { issuer: identity.issuer },
  });
  const name = signer.identity?.subjectAlternativeName ?? "";
  if (identity.name !== undefined && name !== identity.name) return fail(name, identity.name);
  const changed = Buffer.concat([artifact, Buffer.from("x")]);
  if (accepts(verifier, toSignedEntity(bundle, changed))) {
    return fail("changed bytes verified too", "changed bytes refused");
  }
  return ok(`${name}, issuer ${identity.issuer}`);
}

/** The first call does the work, later ones get the same promise (or the same failure). */
export function once<A, T>(work: (argument: A) => Promise<T>): (argument: A) => Promise<T> {
  let result: Promise<T> | undefined;
  return (argument) => (result ??= work(argument));
}
