// Whether a text may be shown to everybody who sees a pipeline. Pure, but for the files that hold
// the job's own secrets.
import { readFileSync } from "node:fs";

/** What a secret looks like, whatever its value. */
const forms: readonly (readonly [what: string, pattern: RegExp])[] = [
  ["a private key", /-----BEGIN [A-Z0-9 ]*PRIVATE KEY/],
  ["a token (JWT)", /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}/],
  ["a GitLab token", /\bgl(?:pat|ptt|rt|rtr|cbt|dt|soat|oas|agent|ffct|ft|imt)-[\w-]{16,}/],
  ["a URL with a password", /\w:\/\/[^\s/:@]+:[^\s/@]+@/],
];

/**
 * Variables whose values are secret whatever they look like; with _FILE, what the file holds. The
 * beginning of the runner's own token is none: GitLab shows it, and a runner names folders after it.
 */
const secretName =
  /(?:(?<!^CI_RUNNER_SHORT_)TOKEN|PASSWORD|PASSPHRASE|SECRET|SECRET_ACCESS_KEY|API_KEY)(_FILE)?$/;

/** A shorter value would be found by chance. */
const shortest = 8;

/** A secret of the job: the variable that holds it, and its value. */
export interface OwnSecret {
  name: string;
  value: string;
}

/** The secrets that the job was given in its environment. A file that cannot be read holds none. */
export function ownSecrets(env: NodeJS.ProcessEnv): OwnSecret[] {
  return Object.entries(env).flatMap(([name, text = ""]) => {
    const found = secretName.exec(name);
    if (found === null) return [];
    const value = (found[1] === undefined ? text : contents(text)).trim();
    return value.length < shortest ? [] : [{ name, value }];
  });
}

function contents(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** The first secret in a text, without its value: its line, counted from 1, and what it is. */
export function firstSecret(
  text: string,
  own: readonly OwnSecret[],
): { line: number; what: string } | undefined {
  for (const [index, line] of text.split("\n").entries()) {
    const form = forms.find(([, pattern]) => pattern.test(line));
    if (form !== undefined) return { line: index + 1, what: form[0] };
    const held = own.find(({ value }) => line.includes(value));
    if (held !== undefined) return { line: index + 1, what: `the value of ${held.name}` };
  }
  return undefined;
}
