import { createDecipheriv, pbkdf2 } from "node:crypto";
import { join } from "node:path";
import { promisify } from "node:util";
import { resourceRule } from "../rule.ts";
import { stackFile, type StackFile } from "../stackFile.ts";

/** The pack lies in the project's folder; the engine tells no pack where the project is. */
const project = join(import.meta.dirname, "../..");

interface Config {
  providers: string[];
  local: string[];
}

/** `awskms` of `awskms://alias/…`; none where nothing is said, which leaves the choice to Pulumi. */
function providerOf({ secretsprovider, encryptionsalt }: StackFile): string | undefined {
  const named = typeof secretsprovider === "string" ? secretsprovider.split(":")[0] : "";
  if (named !== "" && named !== "default") return named;
  return typeof encryptionsalt === "string" ? "passphrase" : undefined;
}

/**
 * Whether a stack's secrets are encrypted with an empty passphrase: whether one opens what a stack
 * file keeps as proof of it. `v1:SALT:v1:NONCE:CIPHERTEXT`, each in base64: the word "pulumi" by
 * AES-256-GCM, with a key that PBKDF2 derives in a million rounds of SHA-256 (Pulumi,
 * pkg/secrets/passphrase/manager.go).
 */
export async function isEmptyPassphrase(encryptionsalt: string): Promise<boolean> {
  const [version, salt, , nonce, sealed] = encryptionsalt.split(":");
  if (version !== "v1" || nonce === undefined || sealed === undefined)
    throw new Error("the stack file's encryptionsalt is of a form that is not known");
  const bytes = (text: string | undefined) => Buffer.from(text ?? "", "base64");
  const key = await promisify(pbkdf2)("", bytes(salt), 1_000_000, 32, "sha256");
  const all = bytes(sealed);
  const decipher = createDecipheriv("aes-256-gcm", key, bytes(nonce));
  decipher.setAuthTag(all.subarray(-16));
  decipher.update(all.subarray(0, -16));
  try {
    decipher.final();
    return true;
  } catch {
    return false;
  }
}

/** What is wrong with how a stack's secrets are encrypted; never what they are encrypted with. */
export async function providerProblems(
  file: StackFile | undefined,
  providers: readonly string[],
): Promise<string[]> {
  if (file === undefined) return ["the stack has no file that says how its secrets are encrypted"];
  const provider = providerOf(file);
  if (provider === undefined) return ["the stack file names no secrets provider"];
  if (!providers.includes(provider))
    return [`the stack's secrets provider is none of ${providers.join(", ")}`];
  const { encryptionsalt } = file;
  if (provider !== "passphrase") return [];
  if (typeof encryptionsalt !== "string") return ["the stack file has no encryptionsalt"];
  return (await isEmptyPassphrase(encryptionsalt)) ? ["the stack's passphrase is empty"] : [];
}

export const secretsProvider = resourceRule<Config>({
  name: "secrets-provider",
  description:
    "Encrypt the stack's secrets by a KMS or a passphrase that is not empty (pulumi stack change-secrets-provider), and commit what that writes into the stack file: whoever reads the state has the keys.",
  config: {
    // By the beginning of what --secrets-provider was given.
    providers: {
      type: "array",
      items: { type: "string" },
      default: ["awskms", "azurekeyvault", "gcpkms", "hashivault", "passphrase"],
    },
    // Stacks whose secrets are worth nothing.
    local: { type: "array", items: { type: "string" }, default: ["local"] },
  },
  check: ({ type, stack }, { providers, local }) =>
    type === "pulumi:pulumi:Stack" && !local.includes(stack)
      ? providerProblems(stackFile(project, stack), providers)
      : [],
});
