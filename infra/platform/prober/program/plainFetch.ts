// In the probe's program this stands in the place of npm's `make-fetch-happen`, which brings a disk
// cache, proxies and retries that nothing uses inside a cluster, and is four times as large as all
// else together. Node's own `fetch` answers alike, but for two things.
interface Options extends RequestInit {
  /** Milliseconds. */
  timeout?: number;
}

/** A response as `@sigstore/sign` reads it. */
type Buffered = Response & { buffer(): Promise<Buffer> };

/** Fetches within a time limit. @throws {TypeError} when there is no answer */
export default async function plainFetch(
  url: string,
  { timeout, ...options }: Options,
): Promise<Buffered> {
  const signal = timeout === undefined ? null : AbortSignal.timeout(timeout);
  const response = await fetch(url, { ...options, signal });
  const buffer = async () => Buffer.from(await response.arrayBuffer());
  return Object.assign(response, { buffer });
}
