import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import * as z from "zod";
import { checkpointsSchema } from "../../infra/trust/stamps.ts";
import { CannotRun } from "../errors.ts";
import { parseState, type State } from "../state.ts";
import { open, seal } from "./seal.ts";

const manifestSchema = z.strictObject({
  /** Raised when something in the archive changes its place or meaning. */
  version: z.literal(1),
  created: z.iso.datetime(),
  /** The logs before the dump began, each signed by its log: the dump has at least these entries. */
  checkpoints: checkpointsSchema,
  /** Size of the state that follows, in bytes; all after it is the dump. */
  stateBytes: z.int().min(2),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** A backup that is read. */
export interface Backup {
  manifest: Manifest;
  state: State;
  /** SQL statements. */
  dump: AsyncGenerator<Buffer>;
}

/** A backup that is written. */
export interface Contents {
  created: Date;
  checkpoints: Manifest["checkpoints"];
  state: State;
  dump: AsyncIterable<Buffer>;
}

/** Packs, compresses and encrypts: a line of JSON, the state, the dump. */
export async function* pack(contents: Contents, passphrase: string): AsyncGenerator<Buffer> {
  const state = Buffer.from(JSON.stringify(contents.state));
  const manifest: Manifest = {
    version: 1,
    created: contents.created.toISOString(),
    checkpoints: contents.checkpoints,
    stateBytes: state.length,
  };
  async function* parts(): AsyncGenerator<Buffer> {
    yield Buffer.from(`${JSON.stringify(manifest)}\n`);
    yield state;
    yield* contents.dump;
  }
  yield* seal(through(parts(), createGzip()), passphrase);
}

/**
 * Opens a backup and reads up to its dump.
 * @throws CannotRun when it is no backup, does not open, or is of another version
 */
export async function unpack(file: string, passphrase: string): Promise<Backup> {
  const sealed = createReadStream(file) as AsyncIterable<Buffer>;
  const bytes = through(open(sealed, passphrase, file), createGunzip())[Symbol.asyncIterator]();
  let rest = Buffer.alloc(0);
  const atLeast = async (complete: () => boolean): Promise<void> => {
    while (!complete()) {
      const next = await bytes.next();
      if (next.done) throw new CannotRun(`${file} ends before its dump.`);
      rest = Buffer.concat([rest, next.value]);
    }
  };
  await atLeast(() => rest.includes("\n"));
  const end = rest.indexOf("\n") + 1;
  const manifest = manifestSchema.safeParse(JSON.parse(rest.subarray(0, end).toString()));
  if (!manifest.success) throw new CannotRun(`${file} is of another version of Anchorhold.`);
  const { stateBytes } = manifest.data;
  await atLeast(() => rest.length >= end + stateBytes);
  const state = parseState(rest.subarray(end, end + stateBytes).toString(), `the state in ${file}`);
  const first = rest.subarray(end + stateBytes);
  async function* dump(): AsyncGenerator<Buffer> {
    try {
      yield first;
      for (let next = await bytes.next(); !next.done; next = await bytes.next()) yield next.value;
    } finally {
      await bytes.return?.(undefined); // closes the file when nobody wants the rest
    }
  }
  return { manifest: manifest.data, state, dump: dump() };
}

/** What comes before the dump. */
export async function unpackState(file: string, passphrase: string): Promise<Omit<Backup, "dump">> {
  const { dump, ...rest } = await unpack(file, passphrase);
  await dump.next();
  await dump.return(undefined);
  return rest;
}

/** A stream through a transform; the first error of either side is thrown. */
async function* through(
  source: AsyncIterable<Buffer>,
  transform: NodeJS.ReadWriteStream,
): AsyncGenerator<Buffer> {
  const done = pipeline(source, transform);
  done.catch(() => undefined); // thrown below
  try {
    for await (const chunk of transform) yield chunk as Buffer;
  } catch (error) {
    await done; // the cause, where the transform only saw its source end
    throw error;
  }
  await done;
}
