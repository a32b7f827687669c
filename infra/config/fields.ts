import { isIP } from "node:net";
import * as z from "zod";

/** RFC 1123 host names and IPv4 addresses; a URL, a port or an underscore is none. */
export const hostName = z
  .string()
  .max(253)
  .regex(
    /^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$/,
    "must be a host name such as sigstore.example.com: no scheme, port or path",
  );

const unitSeconds = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** `90s`, `15m`, `24h`, `7d`, as seconds. */
export const duration = z
  .string()
  .regex(/^[1-9]\d{0,6}[smhd]$/, "must be a duration such as 90s, 15m, 24h or 7d")
  .transform(
    (text) => Number(text.slice(0, -1)) * unitSeconds[text.at(-1) as keyof typeof unitSeconds],
  );

export const generationNumber = z.string().regex(/^[1-9]\d*$/);

/** RFC 1123 subdomain: what a Secret and most other objects may be called. */
export const objectName = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** The network and the bits of `10.0.0.0/8`. */
export function rangeOf(text: string): { network: string; bits: number } | undefined {
  const [, network = "", bits = ""] = /^([0-9a-f.:]+)\/(\d{1,3})$/i.exec(text) ?? [];
  const most = { 0: -1, 4: 32, 6: 128 }[isIP(network)] ?? -1;
  return Number(bits) <= most ? { network, bits: Number(bits) } : undefined;
}

/** An address range, IPv4 or IPv6. */
export const cidr = z
  .string()
  .refine((text) => rangeOf(text) !== undefined, "must be an address range such as 10.0.0.0/8");
