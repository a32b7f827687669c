import { CannotRun } from "../errors.ts";

/** Who may have signed: the issuer of the token, and the certificate's subject. */
export interface Signer {
  issuer: string;
  /** The subject itself, or a regular expression (RE2) for the whole of it. */
  subject: { exact: string } | { regexp: string };
}

/**
 * Reads "ISSUER SUBJECT" of an option.
 * @param issuers those of the stack; one with `*` stands for each that fits
 * @throws CannotRun for another form, an issuer that the stack does not take (nobody could ever have
 *   such a certificate) and a regular expression that is none or not for the whole subject
 */
export function parseSigner(
  option: "--signer" | "--signer-regexp",
  given: string,
  issuers: readonly string[],
): Signer {
  const [issuer, subject, ...more] = given.trim().split(/\s+/);
  if (!issuer || !subject || more.length > 0)
    throw new CannotRun(`${option} "${given}": give "ISSUER SUBJECT", a space in between.`);
  if (!issuers.some((accepted) => isOf(issuer, accepted)))
    throw new CannotRun(
      `${option} "${given}": the stack has no issuer ${issuer}, only ${issuers.join(", ")}.`,
    );
  if (option === "--signer") return { issuer, subject: { exact: subject } };
  if (!isForAll(subject))
    throw new CannotRun(
      `${option} "${given}": give a regular expression from ^ to $, a choice in parentheses; ` +
        "one that is not anchored takes more than it says.",
    );
  return { issuer, subject: { regexp: subject } };
}

/** Whether it is the issuer, or fits one with `*` as Fulcio's meta issuers have it. */
function isOf(issuer: string, accepted: string): boolean {
  const parts = accepted.split("*").map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, "\\$&"));
  return new RegExp(`^${parts.join("[-_a-zA-Z0-9]+")}$`).test(issuer);
}

/** Whether it is a regular expression that only a whole subject can fit. */
function isForAll(regexp: string): boolean {
  try {
    new RegExp(regexp);
  } catch {
    return false;
  }
  // What is escaped, in brackets or in parentheses does not end at a bar.
  let bare = regexp.replace(/\\./gs, "").replace(/\[[^\]]*\]/g, "");
  while (/\([^()]*\)/.test(bare)) bare = bare.replace(/\([^()]*\)/g, "");
  return bare.startsWith("^") && bare.endsWith("$") && !bare.includes("|");
}
