import type { TrustedRoot } from "@sigstore/protobuf-specs";
import type { Memory } from "./memory.ts";
import type { Board } from "./metrics.ts";
import type { Settings } from "./settings.ts";

/** All that the checks of a round work with. */
export interface Scene {
  settings: Settings;
  board: Board;
  memory: {
    readonly now: Memory;
    load(): Promise<void>;
    see(
      seen: { log: string; head: Memory["logs"][string] } | { role: string; version: number },
    ): void;
    save(): Promise<void>;
  };
  /** A token for Fulcio. */
  token: () => string;
  /** For the TUF client's files. */
  folder: string;
  /** What the mirror publishes, from the last round in which it could be read. */
  trust: TrustedRoot | undefined;
}
