import { createPrivateKey } from "node:crypto";
import type { Secret } from "./secrets.ts";

/** One form in which a secret may stand somewhere; `text` has one character for each byte. */
export interface Needle {
  secret: string;
  form: string;
  text: string;
}

/** Shorter ones would be found by chance. */
const shortest = 12;

/** Every form of a secret that is searched for; nested encodings of them are the decoder's task. */
export function needlesOf(secret: Secret): Needle[] {
  const forms = new Map<string, string>();
  const { bytes } = secret;
  forms.set("as it is", bytes.toString("latin1"));
  forms.set("bytes as UTF-8", Buffer.from(bytes.toString("latin1"), "utf8").toString("latin1"));
  forms.set("hex", bytes.toString("hex"));
  forms.set("HEX", bytes.toString("hex").toUpperCase());
  forms.set("decimal", BigInt(`0x${bytes.toString("hex")}`).toString());
  for (const offset of [0, 1, 2])
    for (const encoding of ["base64", "base64url"] as const)
      forms.set(`${encoding}, offset ${offset}`, within(bytes, offset, encoding));
  for (const [name, escape] of Object.entries(escapes))
    forms.set(name, [...bytes].map((byte) => escaped(byte, escape)).join(""));
  for (const [index, line] of secret.pems.flatMap(secretLines).entries())
    forms.set(`PEM line ${index + 1}`, line);
  // Forms that are alike have the first one's name.
  const distinct = new Map([...forms].toReversed().map(([form, text]) => [text, form]));
  return [...distinct]
    .filter(([text]) => text.length >= shortest)
    .map(([text, form]) => ({ secret: secret.name, form, text }));
}

/**
 * The characters of base64 that depend on these bytes alone, wherever they stand in what is encoded:
 * `offset` bytes come before them in their group of three.
 */
function within(bytes: Buffer, offset: number, encoding: "base64" | "base64url"): string {
  const text = Buffer.concat([Buffer.alloc(offset), bytes])
    .toString(encoding)
    .replace(/=+$/, "");
  const first = Math.ceil((offset * 8) / 6);
  return text.slice(first, Math.floor(((offset + bytes.length) * 8) / 6));
}

/** How a byte that is not printable is written in protobuf's text form, in C and in Go. */
const escapes = {
  "octal escapes": (byte: number) => `\\${byte.toString(8).padStart(3, "0")}`,
  "hex escapes": (byte: number) => `\\x${byte.toString(16).padStart(2, "0")}`,
} as const;

const short = new Map([
  [0x0a, "\\n"],
  [0x0d, "\\r"],
  [0x09, "\\t"],
  [0x22, '\\"'],
  [0x5c, "\\\\"],
]);

function escaped(byte: number, escape: (byte: number) => string): string {
  const isPlain = byte >= 0x20 && byte < 0x7f;
  return short.get(byte) ?? (isPlain ? String.fromCharCode(byte) : escape(byte));
}

/** Lines of 64 characters that hold a part of the key's number, as PKCS#8 and as SEC1. */
function secretLines(pem: string): string[] {
  const key = createPrivateKey(pem);
  const number = Buffer.from(String(key.export({ format: "jwk" }).d), "base64url");
  const types =
    key.asymmetricKeyType === "ec" ? (["pkcs8", "sec1"] as const) : (["pkcs8"] as const);
  return types.flatMap((type) => {
    const der = key.export({ type, format: "der" });
    const from = der.indexOf(number);
    return (der.toString("base64").match(/.{1,64}/g) ?? []).filter((line, index) => {
      const [start, end] = [index * 48, index * 48 + Math.floor((line.length * 6) / 8)];
      const own = Math.min(end, from + number.length) - Math.max(start, from);
      return own >= 9; // twelve characters of its own
    });
  });
}
