/** Fetches text. @throws {Error} that names the URL and the status or the reason. */
export async function getText(url: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(url, { redirect: "error", signal }).catch((error: unknown) => {
    throw new Error(`GET ${url}`, { cause: error });
  });
  const text = await response.text();
  if (!response.ok) {
    throw new Error(`GET ${url}: HTTP ${response.status} ${text.slice(0, 200).trim()}`);
  }
  return text;
}

/** Fetches JSON; the caller's schema says what it must look like. */
export async function getJson(url: string, signal: AbortSignal): Promise<unknown> {
  const text = await getText(url, signal);
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`GET ${url}: not JSON: ${text.slice(0, 80)}`);
  }
}
