/** What a person can mend: one message that names the place, the cause and the mending command. */
export class LocalError extends Error {
  override readonly name = "LocalError";
}
