import type { Config } from "../config.ts";

/** Where clients reach the services; no URL has a trailing slash. */
export interface Addresses {
  tuf: string;
  fulcio: string;
  tsa: string;
  /** A CT log generation has a prefix of its own on one server. */
  ctLog(generation: number): string;
  /** A Rekor generation has a server of its own, and so an address of its own. */
  rekor(generation: number): string;
}

/** The path below which a CT log generation answers. */
export function ctLogPrefix(generation: number): string {
  return `ctlog-${generation}`;
}

/**
 * The port of a Rekor generation.
 * @throws when it has none, which the configuration's schema refuses
 */
export function rekorPort(exposure: Config["exposure"], generation: number): number {
  const port = exposure.ports.rekor[String(generation)];
  if (port === undefined) throw new Error(`generation ${generation} of rekor has no port`);
  return port;
}

/** The addresses that an exposure gives. */
export function addresses(exposure: Config["exposure"]): Addresses {
  const at = (port: number) => `http://${exposure.host}:${port}`;
  return {
    tuf: at(exposure.ports.tuf),
    fulcio: at(exposure.ports.fulcio),
    tsa: at(exposure.ports.tsa),
    ctLog: (generation) => `${at(exposure.ports.ctLog)}/${ctLogPrefix(generation)}`,
    rekor: (generation) => at(rekorPort(exposure, generation)),
  };
}
