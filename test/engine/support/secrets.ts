import { createPrivateKey } from "node:crypto";
import type { Props } from "../../../local/pulumi/values.ts";
import type { StateResource } from "./engine.ts";

/** A private key's scalar or a password, and whose it is. */
export interface SecretBytes {
  of: string;
  bytes: Buffer;
}

/** The secret that a resource has made; the state shows secrets. */
export function secretsOf({ type, urn, outputs = {} }: StateResource): SecretBytes[] {
  if (type.startsWith("tls:index/privateKey"))
    return [{ of: urn, bytes: scalarOf(plain(outputs["privateKeyPemPkcs8"])) }];
  return type.endsWith(":RandomPassword")
    ? [{ of: urn, bytes: Buffer.from(plain(outputs["result"])) }]
    : [];
}

/** The secrets that somebody who reads the object can have, in whatever encoding. */
export function openlyIn(object: Props, secrets: readonly SecretBytes[]): SecretBytes[] {
  const texts = layers(JSON.stringify(object), 4);
  return secrets.filter(({ bytes }) => {
    const forms = formsOf(bytes);
    return texts.some((text) => forms.some((form) => text.includes(form)));
  });
}

/** A secret of an export that shows secrets: JSON in an envelope. */
function plain(value: unknown): string {
  return JSON.parse((value as { plaintext: string }).plaintext) as string;
}

/** The private scalar of an EC key: the public half may be anywhere. */
function scalarOf(pem: string): Buffer {
  const { d } = createPrivateKey(pem).export({ format: "jwk" });
  return Buffer.from(d ?? "", "base64url");
}

/** Bytes as they are, as hex, and inside base64 at each of the three offsets. */
function formsOf(secret: Buffer): string[] {
  const inside = [0, 1, 2].map((offset) => {
    const padded = Buffer.concat([Buffer.alloc(offset), secret]);
    return padded.toString("base64").slice(offset === 0 ? 0 : 4, -4);
  });
  return [secret.toString("latin1"), secret.toString("hex"), ...inside];
}

/**
 * A text, and what is in it below each layer of base64. Line breaks, also JSON's, are taken out
 * first: a PEM's would cut a key in two.
 */
function layers(text: string, depth: number): string[] {
  const joined = text.replaceAll(/\\[nr]|\s/g, "");
  if (depth === 0) return [joined];
  const runs = [...joined.matchAll(/[A-Za-z0-9+/]{24,}/g)].map(([run]) => run);
  const below = runs.flatMap((run) =>
    layers(Buffer.from(run, "base64").toString("latin1"), depth - 1),
  );
  return [text, joined, ...below];
}
