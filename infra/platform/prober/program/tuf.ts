import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { TrustedRoot } from "@sigstore/protobuf-specs";
import { getText } from "../../../observe/http.ts";
import { openMirror, roles } from "../../../observe/mirror.ts";
import { readTimestamp } from "../../../trust/tuf/timestamp.ts";
import type { Scene } from "./scene.ts";

/**
 * Walks the mirror from the first root with an empty cache, and sees that no version is lower than
 * one that was served before: clients that have seen that one would refuse it.
 * @throws {Error} for a signature, hash or version that is wrong, and for metadata that has expired
 */
export async function checkTuf(scene: Scene, signal: AbortSignal): Promise<void> {
  const { settings, board, memory } = scene;
  // Read by itself: of a timestamp that has expired, the client tells nothing.
  const timestamp = readTimestamp(await getText(`${settings.mirror}/timestamp.json`, signal));
  if (timestamp !== undefined)
    board.set(expiry, timestamp.expires.getTime() / 1000, { role: "timestamp" });
  const directory = await mkdtemp(join(scene.folder, "tuf-"));
  try {
    const { mirror: url, initialRoot } = settings;
    const mirror = await openMirror({ url, initialRoot }, directory);
    for (const role of roles) {
      const { version, expires } = mirror.roles[role];
      board.set("anchorhold_tuf_version", version, { role });
      board.set(expiry, expires.getTime() / 1000, { role });
      const before = memory.now.roles[role] ?? 0;
      if (version < before)
        throw new Error(`${role} ${version} is served after ${before}: clients refuse it`);
      memory.see({ role, version });
    }
    scene.trust = TrustedRoot.fromJSON(JSON.parse(await mirror.target("trusted_root.json")));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const expiry = "anchorhold_tuf_expiry_timestamp_seconds";
