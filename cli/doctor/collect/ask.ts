/** A service's answer and, by its header `Date`, the clock of the machine that gave it. */
export interface Answer {
  text: string;
  date: Date | undefined;
}

/** Fetches text. @throws Error that names the URL and the status or the reason */
export async function ask(url: string, signal: AbortSignal): Promise<Answer> {
  const response = await fetch(url, { redirect: "error", signal }).catch((error: unknown) => {
    throw new Error(`GET ${url}`, { cause: error });
  });
  const text = await response.text();
  if (!response.ok) {
    throw new Error(`GET ${url}: HTTP ${response.status} ${text.slice(0, 200).trim()}`);
  }
  const date = Date.parse(response.headers.get("date") ?? "");
  return { text, date: Number.isNaN(date) ? undefined : new Date(date) };
}
