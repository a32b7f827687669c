import { createHash, verify, type KeyObject } from "node:crypto";

/** A signed note (C2SP signed-note): text that ends in a newline, and who signed it. */
export interface Note {
  body: string;
  signatures: { name: string; hint: Buffer; signature: Buffer }[];
}

/** A log's statement about its tree (C2SP tlog-checkpoint; in Rekor v1 "origin" ends in the tree id). */
export interface Checkpoint {
  origin: string;
  size: number;
  rootHash: Buffer;
}

/** Splits a note into text and signatures. @throws {Error} that says which part is malformed. */
export function parseNote(text: string): Note {
  const gap = text.lastIndexOf("\n\n");
  if (gap < 0) throw new Error("the checkpoint has no empty line before its signatures");
  const lines = text.slice(gap + 2).split("\n");
  if (lines.pop() !== "" || lines.length === 0) {
    throw new Error("the checkpoint does not end in signature lines");
  }
  return { body: text.slice(0, gap + 1), signatures: lines.map(parseSignature) };
}

function parseSignature(line: string) {
  const match = /^— (\S+) ([A-Za-z0-9+/=]+)$/.exec(line);
  const [, name, encoded] = match ?? [];
  if (name === undefined || encoded === undefined) {
    throw new Error(`the checkpoint's signature line is malformed: "${line}"`);
  }
  const bytes = Buffer.from(encoded, "base64");
  if (bytes.length < 5) throw new Error(`the checkpoint's signature by ${name} is too short`);
  return { name, hint: bytes.subarray(0, 4), signature: bytes.subarray(4) };
}

/** Reads a checkpoint's text. @throws {Error} when size or hash are not what they must be. */
export function parseCheckpoint(body: string): Checkpoint {
  const [origin, size, hash] = body.split("\n");
  if (!origin || !size || !hash || !/^(0|[1-9]\d{0,15})$/.test(size)) {
    throw new Error("the checkpoint lacks origin, size or root hash");
  }
  const rootHash = Buffer.from(hash, "base64");
  if (rootHash.length !== 32) throw new Error("the checkpoint's root hash is not 32 bytes");
  return { origin, size: Number(size), rootHash };
}

/**
 * Checks that `name` signed the checkpoint with this ECDSA P-256 key and returns what it says. The
 * key's hint is the first 4 bytes of SHA-256 over its DER SPKI (Rekor v1). @throws {Error}
 */
export function verifyCheckpoint(text: string, name: string, key: KeyObject): Checkpoint {
  const note = parseNote(text);
  const spki = key.export({ type: "spki", format: "der" });
  const hint = createHash("sha256").update(spki).digest().subarray(0, 4);
  const named = note.signatures.filter((entry) => entry.name === name);
  if (named.length === 0) {
    const names = note.signatures.map((entry) => entry.name).join(", ");
    throw new Error(`the checkpoint is signed by "${names}", not by "${name}"`);
  }
  const ours = named.find((entry) => entry.hint.equals(hint));
  if (ours === undefined) throw new Error("the checkpoint is signed with another key");
  if (!verify("sha256", Buffer.from(note.body), key, ours.signature)) {
    throw new Error("the checkpoint's signature does not verify");
  }
  return parseCheckpoint(note.body);
}
