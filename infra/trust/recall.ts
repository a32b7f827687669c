import * as pulumi from "@pulumi/pulumi";
import { recordsSchema, tufStateSchema, type Records, type TufState } from "../outputs.ts";
import { UserError } from "../errors.ts";

/** What the stack knew when it was last updated; nothing before the first update. */
export interface Remembered {
  records: Partial<Records>;
  tuf?: TufState;
}

/**
 * Reads this stack's own last outputs before anything is registered, in previews too. An update
 * that fails or is killed keeps the outputs of the one before: the engine merges them. So what is
 * remembered may be older than the state, never newer, and an old memory only makes `decide` wait.
 *
 * @throws UserError when the outputs are not of a form that this version writes.
 */
export async function recall(): Promise<Remembered> {
  const self = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  const previous = new pulumi.StackReference("previous", { name: self });
  const [records, tuf] = await Promise.all([
    previous.getOutputDetails("records"),
    previous.getOutputDetails("tuf"),
  ]);
  if (records.value === undefined) return { records: {} };
  const parsedRecords = recordsSchema.safeParse(records.value);
  const parsedTuf = tufStateSchema.safeParse(tuf.value);
  if (!parsedRecords.success || !parsedTuf.success)
    throw new UserError(
      `The records among the outputs of stack ${self} are not of a form that this version reads. ` +
        "Look at them with `pulumi stack output records --json`, and update with the version of " +
        "Anchorhold that wrote them.",
    );
  return { records: parsedRecords.data, tuf: parsedTuf.data };
}
