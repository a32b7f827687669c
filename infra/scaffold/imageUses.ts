import type { ImageKey } from "./images.ts";

/** Where an image runs. */
export interface ImageUse {
  /** The namespace without the stack's prefix; `*` stands for a generation's number. */
  component: string;
  /**
   * Whose pods, as kubectl names them, with `(init)` where only an init container runs it. `*` stands
   * for the number of a generation, or for the end of a name that is made anew with each change.
   */
  pods: readonly string[];
}

const use = (component: string, ...pods: string[]): ImageUse => ({ component, pods });

/** Every container that each stack runs. A test holds it against all objects of a deployed stack. */
export const imageUses: Readonly<Record<ImageKey, ImageUse>> = {
  trillianLogServer: use("trillian", "deployment/trillian-logserver"),
  trillianLogSigner: use("trillian", "deployment/trillian-logsigner"),
  database: use("trillian", "deployment/trillian-mysql"),
  netcat: use(
    "trillian",
    "deployment/trillian-logserver (init)",
    "deployment/trillian-logsigner (init)",
  ),
  curl: use("rekor-*", "deployment/rekor-*-server (init)"),
  redis: use("rekor-*", "deployment/rekor-*-redis"),
  ctServer: use("ctlog", "deployment/ctlog"),
  rekorServer: use("rekor-*", "deployment/rekor-*-server"),
  timestampServer: use("tsa", "deployment/tsa-server"),
  fulcioServer: use("fulcio", "deployment/fulcio-server"),
  nginx: use("tuf", "deployment/tuf-*"),
  node: use(
    "tuf",
    "job/tuf-mirror-revision-signing-*",
    "cronjob/tuf-timestamp",
    "deployment/prober",
  ),
};

/** Where nginx runs besides, where a Route re-encrypts: TLS in front of each server. */
export const tlsProxyUses: readonly ImageUse[] = [
  use("ctlog", "deployment/ctlog"),
  use("tsa", "deployment/tsa-server"),
  use("fulcio", "deployment/fulcio-server"),
  use("rekor-*", "deployment/rekor-*-server"),
];
