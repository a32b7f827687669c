/**
 * The command could not do its work: bad arguments, nothing deployed, a file that is not there.
 * The message is for the user: what, where, and what to do. Ends the process with exit code 2.
 */
export class CannotRun extends Error {}

/**
 * One line for any thrown value, with the cause that `fetch` and gRPC hide one level down, e.g.
 * "fetch failed: connect ECONNREFUSED 10.96.0.7:80".
 */
export function oneLine(error: unknown): string {
  const texts: string[] = [];
  for (let at: unknown = error; at !== undefined && texts.length < 4; at = causeOf(at)) {
    const text = textOf(at);
    if (text !== "" && !texts.some((earlier) => earlier.includes(text))) texts.push(text);
  }
  return texts.join(": ").replace(/\s+/g, " ").trim() || "unknown error";
}

/** Refused connections to a name with several addresses come as an AggregateError without a text. */
function textOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") {
    return error.errors.map(textOf).join(", ");
  }
  if (error instanceof Error) return error.message;
  return typeof error === "string" ? error : JSON.stringify(error);
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}
