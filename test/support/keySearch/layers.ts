import { constants, inflateRawSync } from "node:zlib";

/** What a text turns into when it is decoded, one character for each byte. */
export interface Layer {
  text: string;
  /** The encodings that were taken off, outermost first. */
  path: readonly string[];
}

const deepest = 12;

/**
 * A text and all that is encoded in it, at any depth: base64 (in one line or wrapped, both alphabets,
 * at any place in a run), hexadecimal, lists of byte values, gzip, percent signs, and the escapes of
 * JSON, C and protobuf's text form.
 */
export function layersOf(bytes: Buffer): Generator<Layer> {
  return unfold({ text: bytes.toString("latin1"), path: [] }, new Set());
}

function* unfold(layer: Layer, seen: Set<string>): Generator<Layer> {
  yield layer;
  if (layer.path.length === deepest) return;
  for (const [name, decode] of Object.entries(decoders))
    for (const text of decode(layer.text, seen))
      yield* unfold({ text, path: [...layer.path, name] }, seen);
}

/** `seen` keeps what was decoded before from being decoded again in another layer. */
type Decoder = (text: string, seen: Set<string>) => Generator<string>;

const decoders: Readonly<Record<string, Decoder>> = {
  *gzip(text) {
    for (let at = text.indexOf(magic); at >= 0; at = text.indexOf(magic, at + 1)) {
      const unpacked = gunzip(Buffer.from(text.slice(at), "latin1"));
      if (unpacked !== undefined) yield unpacked.toString("latin1");
    }
  },
  *base64(text, seen) {
    for (const run of fresh(text, base64Run, seen))
      for (const skip of [0, 1, 2, 3])
        yield Buffer.from(run.slice(skip), "base64").toString("latin1");
  },
  *hex(text, seen) {
    for (const run of fresh(text, hexRun, seen))
      for (const skip of [0, 1]) yield Buffer.from(run.slice(skip), "hex").toString("latin1");
  },
  *list(text, seen) {
    for (const run of fresh(text, listRun, seen))
      yield Buffer.from(run.split(/\D+/).map(Number)).toString("latin1");
  },
  *escapes(text) {
    if (text.includes("\\")) yield text.replace(escape, unescaped);
  },
  *percent(text) {
    const hex = (_: string, digits: string) => String.fromCharCode(parseInt(digits, 16));
    if (percent.test(text)) yield text.replaceAll(/%([0-9A-Fa-f]{2})/g, hex);
  },
};

const magic = "\x1f\x8b\x08";
const percent = /%[0-9A-Fa-f]{2}/;
/**
 * Wrapped lines count as one run; shorter runs hold no secret. What is read from each of the first
 * four characters on holds every place of the run in its right group.
 */
const base64Run = /[A-Za-z0-9+/_-]{16,}(?:[ \t]*\r?\n[ \t]*[A-Za-z0-9+/_-]+)*/g;
const hexRun = /[0-9A-Fa-f]{24,}/g;
const listRun = /\b\d{1,3}(?:[ ,]\s{0,40}\d{1,3}){11,}\b/g;

function* fresh(text: string, pattern: RegExp, seen: Set<string>): Generator<string> {
  for (const [found] of text.matchAll(pattern)) {
    const run = pattern === listRun ? found : found.replaceAll(/\s+/g, "");
    const key = `${pattern.source}${run}`;
    if (seen.has(key)) continue;
    seen.add(key);
    yield run;
  }
}

/**
 * What a gzip member holds (RFC 1952, section 2.3). Bytes behind it, or a missing end, do no harm;
 * another member has its own beginning.
 */
function gunzip(bytes: Buffer): Buffer | undefined {
  const flags = bytes[3] ?? 0;
  let start = 10;
  if (flags & 4) start += 2 + bytes.readUInt16LE(start);
  for (const text of [8, 16]) if (flags & text) start = bytes.indexOf(0, start) + 1;
  if (flags & 2) start += 2;
  try {
    return inflateRawSync(bytes.subarray(start), { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return undefined;
  }
}

const escape = /\\(?:([0-7]{1,3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|([^]))/g;
const letters: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", b: "\b", f: "\f" };

function unescaped(_: string, octal?: string, hex?: string, unicode?: string, one = ""): string {
  if (octal !== undefined) return String.fromCharCode(parseInt(octal, 8) & 0xff);
  if (hex !== undefined) return String.fromCharCode(parseInt(hex, 16));
  if (unicode !== undefined)
    return Buffer.from(String.fromCharCode(parseInt(unicode, 16))).toString("latin1");
  return letters[one] ?? one;
}
