import type { Exposure, HostExposure } from "../config/exposure.ts";
import type { Exposure as ServiceExposure } from "../scaffold/values.ts";

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

/** What each service has; a Rekor generation is a service of its own. */
export interface PerService<T> {
  tuf: T;
  fulcio: T;
  tsa: T;
  ctLog: T;
  rekor(generation: number): T;
}

/** The path below which a CT log generation answers. */
export function ctLogPrefix(generation: number): string {
  return `ctlog-${generation}`;
}

/** The addresses that an exposure gives. */
export function addresses(exposure: Exposure): Addresses {
  const base = bases(exposure);
  return { ...base, ctLog: (generation) => `${base.ctLog}/${ctLogPrefix(generation)}` };
}

/** Scheme, host and port; an Ingress or Route answers on 443. */
function bases(exposure: Exposure): PerService<string> {
  if (exposure.type !== "nodePort")
    return mapServices(hostsOf(exposure), (host) => `https://${host}`);
  const { host, ports } = exposure;
  return mapServices(perService(ports), (port) => `http://${host}:${port}`);
}

/** The host of every service. */
export function hostsOf({ hosts }: HostExposure): PerService<string> {
  return perService(hosts);
}

/**
 * What a Rekor generation signs into every entry and checkpoint: the host of its address, since
 * clients compare the two (sigstore-java wants them equal).
 */
export function rekorHostname(exposure: Exposure, generation: number): string {
  return exposure.type === "nodePort" ? exposure.host : hostsOf(exposure).rekor(generation);
}

/** How each service's Service is reached: behind Ingress and Route from inside the cluster alone. */
export function serviceExposures(exposure: Exposure): PerService<ServiceExposure> {
  if (exposure.type === "nodePort")
    return mapServices(perService(exposure.ports), (port) => ({ type: "nodePort", port }));
  return mapServices(hostsOf(exposure), () => ({ type: "clusterIP" }));
}

interface Configured<T> {
  tuf: T;
  fulcio: T;
  tsa: T;
  ctLog: T;
  rekor: Readonly<Record<string, T>>;
}

/** @throws for a generation that has none, which the configuration's schema refuses */
function perService<T>({ rekor, ...others }: Configured<T>): PerService<T> {
  return {
    ...others,
    rekor: (generation) => {
      const found = rekor[String(generation)];
      if (found === undefined)
        throw new Error(`generation ${generation} of rekor has no port or host`);
      return found;
    },
  };
}

function mapServices<T, U>(all: PerService<T>, change: (value: T) => U): PerService<U> {
  return {
    tuf: change(all.tuf),
    fulcio: change(all.fulcio),
    tsa: change(all.tsa),
    ctLog: change(all.ctLog),
    rekor: (generation) => change(all.rekor(generation)),
  };
}
