import { Agent } from "node:http";

/**
 * Every request of this thread on a connection of its own, as runs of a command-line tool have it.
 * A kept connection stays with the pod that took it first, so a roll would look better than it is
 * for new clients, and worse for the one request that meets the closing of its connection.
 */
export function useFreshConnections(): void {
  // Node's documented hook: what is false here is closed after its response. @sigstore/sign uses it.
  Agent.prototype.keepSocketAlive = () => false;
  // @sigstore/tuf uses fetch with an address, where the header is the only way.
  const original = globalThis.fetch;
  globalThis.fetch = (input, init) => {
    if (input instanceof Request) return original(input, init);
    const headers = new Headers(init?.headers);
    headers.set("connection", "close");
    return original(input, { ...init, headers });
  };
}
