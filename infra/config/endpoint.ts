import * as z from "zod";

/** Goes into a command line: no character that a shell would read. */
export const hostAndPort = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?:\d{1,5}$/, "must be HOST:PORT, such as trillian:8091");

export const port = z.int().min(1).max(65535);
