import { verify, type KeyObject } from "node:crypto";

/** What a CT log answers to get-sth (RFC 6962, section 4.3); base64 as it came. */
export interface SignedTreeHead {
  tree_size: number;
  /** Milliseconds since 1970. */
  timestamp: number;
  sha256_root_hash: string;
  tree_head_signature: string;
}

/**
 * The 50 bytes that a log signs (RFC 6962, section 3.5): version v1 = 0, signature type
 * tree_hash = 1, timestamp and tree size as big-endian uint64, root hash.
 */
export function treeHeadInput(head: SignedTreeHead): Buffer {
  const rootHash = Buffer.from(head.sha256_root_hash, "base64");
  if (rootHash.length !== 32) throw new Error("the tree head's root hash is not 32 bytes");
  const input = Buffer.alloc(50);
  input.writeUInt8(0, 0);
  input.writeUInt8(1, 1);
  input.writeBigUInt64BE(BigInt(head.timestamp), 2);
  input.writeBigUInt64BE(BigInt(head.tree_size), 10);
  rootHash.copy(input, 18);
  return input;
}

/**
 * The ECDSA signature out of a TLS DigitallySigned (RFC 5246, section 4.7): hash algorithm
 * sha256 = 4, signature algorithm ecdsa = 3, uint16 length, bytes.
 */
export function digitallySigned(encoded: string): Buffer {
  const bytes = Buffer.from(encoded, "base64");
  if (bytes.length < 4 || bytes.readUInt16BE(2) !== bytes.length - 4) {
    throw new Error("the tree head's signature is malformed");
  }
  if (bytes[0] !== 4 || bytes[1] !== 3) {
    throw new Error(`the tree head is signed with algorithm ${bytes[0]}/${bytes[1]}, not ECDSA`);
  }
  return bytes.subarray(4);
}

/** @throws {Error} unless the log's key signed this tree head. */
export function verifyTreeHead(head: SignedTreeHead, key: KeyObject): void {
  if (!verify("sha256", treeHeadInput(head), key, digitallySigned(head.tree_head_signature))) {
    throw new Error("the tree head's signature does not verify");
  }
}
