import type { Component } from "./names.ts";
import { surgePods } from "./postrender/rolling.ts";
import { fixedSizes, type Resources, type Sizes } from "./sizes.ts";

/** Pods that are alike. */
export interface Workload {
  name: string;
  /** As many as there are at the worst moment of an update. */
  pods: number;
  container: Resources;
  /** Of the container beside it, which speaks TLS for it. */
  tlsProxy?: Resources;
  /** Of the container that waits before it. */
  init?: Resources;
}

/** How many pods each server has when nothing changes. */
export interface Replicas {
  ctLog: number;
  rekor: number;
  tsa: number;
  fulcio: number;
  trillianLogServer: number;
}

/**
 * The pods of one namespace when it needs most: each server rolls, with one pod above its number; the
 * database is ended before it starts again; the TUF mirror has its next state beside the one that
 * serves, while the Job and the schedule both sign; the probe ends before it starts again. Pods that are ending count for a quota as well,
 * but a roll waits for those.
 * @param isTlsToPods whether a Route re-encrypts; the mirror speaks TLS itself
 */
export function workloads(
  component: Component,
  sizes: Sizes,
  replicas: Replicas,
  isTlsToPods: boolean,
): Workload[] {
  const rolling = (count: number) => count + surgePods;
  const { curl, netcat, timestampSigner, prober } = fixedSizes;
  const server = (name: keyof Replicas & keyof Sizes): Workload => ({
    name,
    pods: rolling(replicas[name]),
    container: sizes[name],
  });
  const called = (name: keyof Replicas & keyof Sizes): Workload => ({
    ...server(name),
    ...(isTlsToPods ? { tlsProxy: sizes.tlsProxy } : {}),
  });
  const single = (name: keyof Sizes, pods: number): Workload => ({
    name,
    pods,
    container: sizes[name],
  });
  switch (component) {
    case "trillian":
      return [
        { ...server("trillianLogServer"), init: netcat },
        { ...single("trillianLogSigner", rolling(1)), init: netcat },
        single("database", 1),
      ];
    case "rekor":
      return [{ ...called("rekor"), init: curl }, single("redis", rolling(1))];
    case "tuf":
      return [
        single("tuf", 2),
        { name: "timestampSigner", pods: 2, container: timestampSigner },
        { name: "prober", pods: 1, container: prober },
      ];
    case "ctLog":
    case "tsa":
    case "fulcio":
      return [called(component)];
  }
}
