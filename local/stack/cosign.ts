import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { StackOutputs } from "../../infra/outputs.ts";
import { LocalError } from "../errors.ts";

const execute = promisify(execFile);

/**
 * Signs and verifies a blob with cosign, by discovery alone: `initialize` gets the mirror and the
 * first root, nothing else gets a URL.
 *
 * @param token an OIDC token that Fulcio accepts; cosign reads it from its environment
 * @returns the identity and issuer that the signature was verified for
 * @throws LocalError with what cosign said
 */
export async function signWithCosign(
  cosign: string,
  outputs: Pick<StackOutputs, "mirror">,
  token: string,
): Promise<{ identity: string; issuer: string }> {
  const home = mkdtempSync(join(tmpdir(), "anchorhold-cosign-"));
  const run = async (...args: string[]) => {
    const env = { PATH: process.env.PATH, HOME: home, SIGSTORE_ID_TOKEN: token };
    try {
      await execute(cosign, args, { env, cwd: home, timeout: 60_000 });
    } catch (error) {
      const { stderr = "" } = error as { stderr?: string };
      throw new LocalError(`cosign ${args[0]} failed: ${stderr.trim()}`);
    }
  };
  const { url, rootUrl, rootSha256 } = outputs.mirror;
  const { sub: identity, iss: issuer } = claimsOf(token);
  try {
    writeFileSync(join(home, "blob"), randomBytes(64));
    await run("initialize", "--mirror", url, "--root", rootUrl, "--root-checksum", rootSha256);
    await run("sign-blob", "blob", "--bundle", "bundle.json", "--yes");
    await run(
      "verify-blob",
      "blob",
      "--bundle",
      "bundle.json",
      "--certificate-identity",
      identity,
      "--certificate-oidc-issuer",
      issuer,
    );
    return { identity, issuer };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** Fulcio's subject for a service account is its URI under kubernetes.io. */
function claimsOf(token: string): { sub: string; iss: string } {
  const payload = Buffer.from(token.split(".")[1] ?? "", "base64url").toString();
  const claims = JSON.parse(payload) as { sub: string; iss: string };
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(claims.sub);
  const sub = account
    ? `https://kubernetes.io/namespaces/${account[1]}/serviceaccounts/${account[2]}`
    : claims.sub;
  return { sub, iss: claims.iss };
}
