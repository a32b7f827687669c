import {
  createCipheriv,
  createDecipheriv,
  createHash,
  randomBytes,
  scrypt,
  type ScryptOptions,
} from "node:crypto";
import * as z from "zod";
import { CannotRun } from "../errors.ts";

/**
 * The sealed file: a line that names the format, a line of JSON with the parameters, then chunks of
 * 64 KiB, each encrypted with AES-256-GCM. The key comes from the passphrase by scrypt (RFC 7914)
 * with a salt of this file alone, so a nonce needs no randomness: it is the chunk's number, and its
 * last byte marks the last chunk. Every chunk is bound to both lines. So a file that was cut off,
 * reordered, spliced or changed anywhere does not open.
 */
const formatLine = "anchorhold backup 1\n";
const chunkBytes = 65_536;
const tagBytes = 16;
/** More than any header has, so that a file of another kind is not searched to its end. */
const headerLimit = 1024;

const parameters = z.strictObject({
  cipher: z.literal("aes-256-gcm"),
  kdf: z.literal("scrypt"),
  // Bounds what a foreign file can make this process spend.
  N: z.int().min(1024).max(1_048_576),
  r: z.int().min(1).max(16),
  p: z.int().min(1).max(4),
  salt: z.base64(),
});
type Parameters = z.infer<typeof parameters>;

/** Of the key's derivation: 128 MiB of memory and a third of a second for each guess. */
const defaultCost = { N: 131_072, r: 8, p: 1 };

/** Encrypts a stream. */
export async function* seal(
  source: AsyncIterable<Buffer>,
  passphrase: string,
  cost: Pick<Parameters, "N" | "r" | "p"> = defaultCost,
): AsyncGenerator<Buffer> {
  const used: Parameters = {
    ...{ cipher: "aes-256-gcm", kdf: "scrypt", ...cost },
    salt: randomBytes(16).toString("base64"),
  };
  const header = Buffer.from(`${formatLine}${JSON.stringify(used)}\n`);
  const lock = locker(await keyOf(passphrase, used), header);
  yield header;
  // A chunk is sealed only when more follows or the end is known: the last one says so.
  let rest = Buffer.alloc(0);
  for await (const part of source) {
    rest = Buffer.concat([rest, part]);
    for (; rest.length > chunkBytes; rest = rest.subarray(chunkBytes))
      yield lock(rest.subarray(0, chunkBytes), false);
  }
  yield lock(rest, true);
}

/**
 * Decrypts a sealed stream. What it yields is genuine up to there; that nothing is missing is known
 * when it has ended.
 * @param name names the file in errors
 * @throws CannotRun when it is no such file, the passphrase is another, or it was changed or cut off
 */
export async function* open(
  source: AsyncIterable<Buffer>,
  passphrase: string,
  name: string,
): AsyncGenerator<Buffer> {
  let unlock: ReturnType<typeof unlocker> | undefined;
  let rest = Buffer.alloc(0);
  for await (const part of source) {
    rest = Buffer.concat([rest, part]);
    if (unlock === undefined) {
      const header = headerOf(rest, name);
      if (header === undefined) continue;
      rest = rest.subarray(header.bytes.length);
      unlock = unlocker(await keyOf(passphrase, header.used), header.bytes, name);
    }
    for (; rest.length > chunkBytes + tagBytes; rest = rest.subarray(chunkBytes + tagBytes))
      yield unlock(rest.subarray(0, chunkBytes + tagBytes), false);
  }
  if (unlock === undefined) throw notABackup(name);
  yield unlock(rest, true);
}

/** Both lines, as soon as they are complete. */
function headerOf(start: Buffer, name: string): { bytes: Buffer; used: Parameters } | undefined {
  const first = start.subarray(0, formatLine.length).toString("latin1");
  if (!formatLine.startsWith(first)) throw notABackup(name);
  const end = start.indexOf("\n", formatLine.length);
  if (end < 0 && start.length < headerLimit) return undefined;
  const bytes = start.subarray(0, end + 1);
  const used = parameters.safeParse(jsonOf(bytes.subarray(formatLine.length).toString()));
  if (!used.success) throw notABackup(name);
  return { bytes, used: used.data };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function keyOf(passphrase: string, { N, r, p, salt }: Parameters): Promise<Buffer> {
  const options: ScryptOptions = { N, r, p, maxmem: 256 * N * r };
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize("NFC"), Buffer.from(salt, "base64"), 32, options, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}

/** Twelve bytes: the chunk's number, big-endian, and whether it is the last one. */
function nonceOf(number: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeBigUInt64BE(BigInt(number), 3);
  nonce.writeUInt8(isLast ? 1 : 0, 11);
  return nonce;
}

const bindingOf = (header: Buffer): Buffer => createHash("sha256").update(header).digest();

function locker(key: Buffer, header: Buffer): (chunk: Buffer, isLast: boolean) => Buffer {
  const binding = bindingOf(header);
  let number = 0;
  return (chunk, isLast) => {
    const cipher = createCipheriv("aes-256-gcm", key, nonceOf(number++, isLast)).setAAD(binding);
    return Buffer.concat([cipher.update(chunk), cipher.final(), cipher.getAuthTag()]);
  };
}

function unlocker(
  key: Buffer,
  header: Buffer,
  name: string,
): (sealed: Buffer, isLast: boolean) => Buffer {
  const binding = bindingOf(header);
  let number = 0;
  return (sealed, isLast) => {
    const nonce = nonceOf(number++, isLast);
    const end = sealed.length - tagBytes;
    if (end < 0) throw changed(name);
    const options = { authTagLength: tagBytes };
    const decipher = createDecipheriv("aes-256-gcm", key, nonce, options).setAAD(binding);
    decipher.setAuthTag(sealed.subarray(end));
    const chunk = decipher.update(sealed.subarray(0, end));
    try {
      decipher.final();
    } catch {
      throw number === 1 ? wrongPassphrase(name) : changed(name);
    }
    return chunk;
  };
}

const notABackup = (name: string): CannotRun =>
  new CannotRun(`${name} is no backup that this version of Anchorhold reads.`);

const wrongPassphrase = (name: string): CannotRun =>
  new CannotRun(`${name} does not open: the passphrase is another, or the file was changed.`);

const changed = (name: string): CannotRun =>
  new CannotRun(`${name} was changed or is cut off: nothing of it is used. Take another copy.`);
