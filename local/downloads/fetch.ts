import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { LocalError } from "../errors.ts";
import type { Digest } from "./checksums.ts";

/** How long a host may take that is only asked whether it is there. */
export const quick = 2_500;

/** How long one may take that somebody has asked for. */
export const patient = 30_000;

/** A large file over a slow line. */
const wholeFile = 20 * 60_000;

/**
 * Where a URL is really read: ANCHORHOLD_DOWNLOADS names a mirror, which has each host as a folder
 * (`https://get.pulumi.com/a` is `MIRROR/get.pulumi.com/a`).
 */
export function mirrorOf(url: string, mirror = process.env.ANCHORHOLD_DOWNLOADS ?? ""): string {
  return mirror === "" ? url : `${mirror.replace(/\/+$/, "")}/${url.replace(/^https?:\/\//, "")}`;
}

/** Why a request came to nothing, as a clause: "get.pulumi.com does not answer (ENOTFOUND)". */
export function unanswered(url: string, error: unknown): string {
  const host = URL.canParse(url) ? new URL(url).host : url;
  return `${host} does not answer (${reasonOf(error as Failure)})`;
}

interface Failure {
  name?: string;
  message?: string;
  /** What fetch wraps: an error of the network. */
  cause?: { code?: string; message?: string };
}

const reasonOf = ({ name, message = "", cause }: Failure): string =>
  name === "TimeoutError" ? "no answer in time" : (cause?.code ?? cause?.message ?? message);

/**
 * A short text from a URL.
 * @returns the text, or why there is none
 */
export async function fetchText(
  url: string,
  limit: number,
): Promise<{ text: string } | { why: string }> {
  const place = mirrorOf(url);
  try {
    const answer = await fetch(place, { signal: AbortSignal.timeout(limit) });
    if (!answer.ok) return { why: `${place} answers ${answer.status}` };
    return { text: await answer.text() };
  } catch (error) {
    return { why: unanswered(place, error) };
  }
}

/**
 * Writes what a URL has to a file, while its digest is taken.
 * @throws LocalError when it does not come whole, or is not what the release says
 */
export async function download(url: string, file: string, digest: Digest): Promise<void> {
  const place = mirrorOf(url);
  const hash = createHash(digest.algorithm);
  const hashing = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(undefined, chunk);
    },
  });
  try {
    const answer = await fetch(place, { signal: AbortSignal.timeout(wholeFile) });
    if (!answer.ok || answer.body === null) throw new Error(`it answers ${answer.status}`);
    await pipeline(Readable.fromWeb(answer.body), hashing, createWriteStream(file));
  } catch (error) {
    throw new LocalError(
      `${place} did not come whole (${reasonOf(error as Failure)}). Run the same command again.`,
      { cause: error },
    );
  }
  const found = hash.digest("hex");
  if (found !== digest.hex)
    throw new LocalError(
      `${place} is not what its release says: its ${digest.algorithm} is ${found}, not ` +
        `${digest.hex}. It was removed. Something on the way changes downloads, or the mirror is ` +
        "broken: mend that, then run the same command again.",
    );
}
