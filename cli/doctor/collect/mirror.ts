import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { oneLine } from "../../errors.ts";
import { openMirror, servedRevision } from "../../../infra/observe/mirror.ts";
import type { TufAnswer } from "../evidence.ts";
import { ask } from "./ask.ts";
import type { Inspect } from "./replicas.ts";

const expiring = z.object({ signed: z.object({ expires: z.iso.datetime() }) });

/** Walks a TUF pod from root 1 with an empty cache, as a client does on its first day. */
export function askMirror(initialRoot: string): Inspect<TufAnswer> {
  return async (base, signal) => {
    const { text, date } = await ask(`${base}/timestamp.json`, signal);
    const directory = await mkdtemp(join(tmpdir(), "anchorhold-doctor-"));
    try {
      const mirror = await openMirror({ url: base, initialRoot }, directory);
      const revision = await servedRevision(mirror);
      const { roles } = mirror;
      return { answer: { version: roles.targets.version, revision, roles }, clock: date };
    } catch (error) {
      const answer = { refused: oneLine(error), timestampExpires: expiresOf(text) };
      return { answer, clock: date };
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  };
}

function expiresOf(timestamp: string): Date | undefined {
  try {
    return new Date(expiring.parse(JSON.parse(timestamp)).signed.expires);
  } catch {
    return undefined;
  }
}
