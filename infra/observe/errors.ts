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
  if (error instanceof Error) return kubernetesMessage(error) ?? error.message;
  return typeof error === "string" ? error : JSON.stringify(error);
}

/** The Kubernetes client's errors carry the whole reply; its `message` is what people need. */
function kubernetesMessage(error: Error): string | undefined {
  const { body, code } = error as { body?: unknown; code?: unknown };
  const found = typeof body === "string" ? /"message":("(?:[^"\\]|\\.)*")/.exec(body) : null;
  if (found?.[1] !== undefined) return `${String(code)} ${String(JSON.parse(found[1]))}`;
  return /^HTTP-Code: (.*?) Body: /s.exec(error.message)?.[1]?.replace(" Message:", "");
}

/** A message made for the user says it all; its cause is for debuggers. */
function causeOf(error: unknown): unknown {
  return error instanceof Error && !(error instanceof CannotRun) ? error.cause : undefined;
}
