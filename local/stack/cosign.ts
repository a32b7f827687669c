import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expectedIdentity } from "../../cli/verify/token.ts";
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
  outputs: StackOutputs,
  token: string,
): Promise<{ identity: string; issuer: string }> {
  const { name: identity, issuer } = expectedIdentity(token, outputs);
  if (identity === undefined)
    throw new LocalError(`The token of ${issuer} does not say whom Fulcio will name.`);
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
