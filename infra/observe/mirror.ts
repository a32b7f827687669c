import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { initTUF } from "@sigstore/tuf";
import * as z from "zod";
import type { TargetFile } from "../trust/tuf/metadata.ts";
import { revisionHash } from "../trust/tuf/repository.ts";

const expiring = z.object({ version: z.int(), expires: z.iso.datetime() });
const metadata = z.object({ signed: expiring });
const targetsMetadata = z.object({
  signed: z.object({
    ...expiring.shape,
    targets: z.record(z.string(), z.object({ custom: z.unknown().optional() })),
  }),
});

export const roles = ["root", "targets", "snapshot", "timestamp"] as const;
export type Role = (typeof roles)[number];

/** A TUF repository whose chain was walked and verified. */
export interface Mirror {
  roles: Record<Role, { version: number; expires: Date }>;
  /** Name and `custom` field of every target that the signed metadata lists. */
  targets: { name: string; custom: unknown }[];
  /** Each role's metadata as it was served. */
  files: Record<Role, string>;
  /** A target's text, its length and hash checked against the signed metadata. */
  target(name: string): Promise<string>;
}

/**
 * Walks the mirror at `url` from the stack's first root with an empty cache in `directory`, as a client
 * does on its first day. What is read from the cache afterwards was verified by the TUF client.
 * @throws {Error} when any signature, hash, version or expiry is wrong
 */
export async function openMirror(
  { url, initialRoot }: { url: string; initialRoot: string },
  directory: string,
): Promise<Mirror> {
  const rootPath = join(directory, "1.root.json");
  await mkdir(directory, { recursive: true });
  await writeFile(rootPath, initialRoot);
  const mirrorURL = url.replace(/\/$/, "");
  const cachePath = join(directory, "cache");
  const client = await initTUF({ mirrorURL, rootPath, cachePath, forceInit: true, retry: 1 });
  const { host, pathname } = new URL(mirrorURL);
  const cache = join(cachePath, encodeURIComponent(host + pathname.replace(/\/$/, "")));
  const texts = await Promise.all(
    roles.map(async (role) => [role, await readFile(join(cache, `${role}.json`), "utf8")] as const),
  );
  const files = Object.fromEntries(texts) as Mirror["files"];
  const entries = texts.map(([role, text]) => {
    const { version, expires } = metadata.parse(JSON.parse(text)).signed;
    return [role, { version, expires: new Date(expires) }] as const;
  });
  const { targets } = targetsMetadata.parse(JSON.parse(files.targets)).signed;
  return {
    roles: Object.fromEntries(entries) as Mirror["roles"],
    files,
    targets: Object.entries(targets).map(([name, { custom }]) => ({ name, custom })),
    target: (name) => client.getTarget(name),
  };
}

/** The revision hash over what the mirror really serves. */
export async function servedRevision(mirror: Mirror): Promise<string> {
  const documents = await Promise.all(
    mirror.targets.map(async ({ name, custom }): Promise<TargetFile> => {
      const content = await mirror.target(name);
      return custom === undefined
        ? { name, content }
        : { name, content, custom: custom as NonNullable<TargetFile["custom"]> };
    }),
  );
  return revisionHash(documents);
}
