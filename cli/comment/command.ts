import { readFile } from "node:fs/promises";
import { stripVTControlCharacters } from "node:util";
import { CannotRun, oneLine } from "../errors.ts";
import { commentBody, marker } from "./body.ts";
import { mergeRequestOf, putNote } from "./gitlab.ts";
import { firstSecret, ownSecrets } from "./secrets.ts";

export interface CommentOptions {
  stack: string;
  /** How the preview ended. */
  exitCode: number;
}

/**
 * `anchorhold preview-comment FILE`: shows what a preview printed in the job's log and, in a merge
 * request's pipeline, as a comment that the next pipeline replaces.
 * @throws CannotRun when the text holds a secret: then nothing of it is shown
 */
export async function commentPreview(
  file: string,
  { stack, exitCode }: CommentOptions,
  env: NodeJS.ProcessEnv,
  out: (text: string) => void,
): Promise<void> {
  const raw = await readFile(file, "utf8").catch((error: unknown) => {
    throw new CannotRun(`${file}: ${oneLine(error)}`);
  });
  const text = stripVTControlCharacters(raw);
  const secret = firstSecret(text, ownSecrets(env));
  if (secret !== undefined)
    throw new CannotRun(
      `${file}, line ${secret.line}, holds ${secret.what}: nothing of it is shown. Look at it where ` +
        "nobody else does, and mend what prints it: a secret must be a secret output from birth",
    );
  out(text.trimEnd());
  const at = mergeRequestOf(env);
  if ("without" in at) {
    out(`\nNo comment: ${at.without}.`);
    return;
  }
  const preview = { stack, text, exitCode, jobUrl: env["CI_JOB_URL"] };
  await putNote(at, marker(stack), commentBody(preview));
  out(`\nThe preview of ${stack} is a comment of merge request !${at.iid}.`);
}
