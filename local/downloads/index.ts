// Official releases, downloaded and held against the digests that they publish; kept by version.
import { chmod, rename, rm } from "node:fs/promises";
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { LocalError } from "../errors.ts";
import { cacheDir } from "../paths.ts";
import type { Report } from "../report.ts";
import { run } from "../tools/run.ts";
import { ensureStored, keyOf } from "../tools/store.ts";
import { publishedDigest, type Digest } from "./checksums.ts";
import { download, fetchText, patient, quick } from "./fetch.ts";
import type { Release } from "./releases.ts";

/** Where a release lies once it was downloaded. */
export function releaseDirectory(release: Release, cache = cacheDir): string {
  const { name, version } = release;
  return join(cache, "downloads", name, `${version}-${keyOf(release)}`);
}

/** The last part of the release's URL: its name in the list of digests. */
const fileOf = ({ url }: Release): string => basename(new URL(url).pathname);

/**
 * What a release publishes as its file's digest.
 * @returns the digest, or why there is none
 */
async function digestOf(release: Release, limit: number): Promise<Digest | { why: string }> {
  const list = await fetchText(release.checksums, limit);
  if ("why" in list) return list;
  const digest = publishedDigest(list.text, fileOf(release));
  return digest ?? { why: `${release.checksums} has no line for ${fileOf(release)}` };
}

/**
 * Whether a release is here already, or could be downloaded.
 * @param isPatient whether its host gets time to answer
 * @returns undefined, or why not
 */
export async function missingRelease(
  release: Release,
  isPatient: boolean,
  cache = cacheDir,
): Promise<string | undefined> {
  if (existsSync(releaseDirectory(release, cache))) return undefined;
  const found = await digestOf(release, isPatient ? patient : quick);
  return "why" in found ? found.why : undefined;
}

async function place(release: Release, draft: string, archive: string): Promise<void> {
  const target = join(draft, release.file);
  if (release.use === "unpack") {
    await run("tar", ["-xzf", archive, "-C", draft], { what: `Unpacking ${fileOf(release)}` });
    await rm(archive);
  } else {
    await rename(archive, target);
    if (release.use === "program") await chmod(target, 0o755);
  }
  if (!existsSync(target))
    throw new LocalError(
      `${fileOf(release)} has no ${release.file} in it, though it is what its release says.`,
    );
}

/**
 * Makes sure that a release is in the cache.
 * @param cache the folder that it is kept in
 * @returns the absolute path of its file
 * @throws LocalError naming the release, the cause and the remedy; nothing half-done stays
 */
export async function ensureRelease(
  release: Release,
  report: Report,
  cache = cacheDir,
): Promise<string> {
  const what = `Downloading ${release.name} ${release.version}`;
  const directory = await ensureStored(
    releaseDirectory(release, cache),
    what,
    async (draft) => {
      report(`${release.name} ${release.version}: downloading ${release.url}`);
      const digest = await digestOf(release, patient);
      if ("why" in digest) throw new LocalError(`${what}: ${digest.why}.`);
      const archive = join(draft, "download");
      await download(release.url, archive, digest);
      await place(release, draft, archive);
    },
    report,
  );
  return join(directory, release.file);
}
