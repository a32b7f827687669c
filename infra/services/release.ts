import type { Config } from "../config.ts";
import type { WayOut } from "../config/wayOut.ts";
import type { Guard } from "../platform/guard.ts";
import type { Images } from "../scaffold/images.ts";
import type { TlsProxy } from "../scaffold/postrender/tlsProxy.ts";
import type { Sizes } from "../scaffold/sizes.ts";
import type { RunAs } from "../scaffold/values.ts";

/** What every service's Release is made of, whatever the service. */
export interface ReleaseContext {
  chart: Config["chart"];
  prefix: string;
  /** What surrounds the pods of each namespace. */
  guard: (namespace: string) => Guard;
  images: Images;
  /** Names of the Secrets that images are pulled with, the same in every namespace. */
  pullSecrets: readonly string[];
  /** What each server's container asks for and may use. */
  sizes: Sizes;
  /** The user and groups of every pod. */
  runAs: RunAs;
  /** For the servers that call others outside the cluster. */
  wayOut: WayOut;
  /** In front of each server that clients call, where a Route re-encrypts. */
  tlsProxy: TlsProxy | undefined;
}
