import * as z from "zod";

/** RFC 1123 host names and IPv4 addresses; a URL, a port or an underscore is none. */
export const hostName = z
  .string()
  .max(253)
  .regex(
    /^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$/,
    "must be a host name such as sigstore.example.com: no scheme, port or path",
  );

export const generationNumber = z.string().regex(/^[1-9]\d*$/);

/** RFC 1123 subdomain: what a Secret and most other objects may be called. */
export const objectName = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
