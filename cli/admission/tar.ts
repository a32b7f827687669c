import { posix } from "node:path";
import { gzipSync } from "node:zlib";

/** A file of an archive. */
export interface Entry {
  path: string;
  content: string;
}

const block = 512;

/**
 * A gzipped tar archive (POSIX.1-1988 ustar) of plain files; the same files give the same bytes. Each
 * file is a gzip member of its own (RFC 1952 allows several): policy-controller takes what one read
 * of the stream gives for a whole file, and a read ends where a member or 32 KiB of it end.
 */
export function tarGz(entries: readonly Entry[]): Buffer {
  const members = entries.map(({ path, content }) => {
    const bytes = Buffer.from(content);
    const padding = Buffer.alloc(-bytes.length & (block - 1));
    return Buffer.concat([header(path, bytes.length), bytes, padding]);
  });
  const end = Buffer.alloc(2 * block);
  return Buffer.concat([...members, end].map((member) => gzipSync(member)));
}

function header(path: string, size: number): Buffer {
  const { dir, base } = posix.parse(path);
  if (Buffer.byteLength(base) > 100 || Buffer.byteLength(dir) > 155)
    throw new Error(`${path}: too long for a tar archive`);
  const bytes = Buffer.alloc(block);
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, "0")}\0`;
  bytes.write(base, 0);
  bytes.write(octal(0o644, 7), 100); // mode
  bytes.write(octal(0, 7), 108); // owner
  bytes.write(octal(0, 7), 116); // group
  bytes.write(octal(size, 11), 124);
  bytes.write(octal(0, 11), 136); // time
  bytes.write(" ".repeat(8), 148); // the checksum counts as spaces
  bytes.write("0", 156); // a plain file
  bytes.write("ustar\x0000", 257);
  bytes.write(dir, 345);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${octal(sum, 6)} `, 148);
  return bytes;
}
