import { isIPv6 } from "node:net";
import * as z from "zod";
import { hostName } from "./fields.ts";

/** NTP's own (RFC 5905). */
const ntpPort = 123;

/** HOST, HOST:PORT or [IPV6]:PORT, as timestamp-server takes them (beevik/ntp, fixHostPort). */
const address = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/i;

/** A time server by its parts. */
export interface NtpServer {
  host: string;
  port: number;
}

/** @throws Error for what `ntpSchema` refuses */
export function ntpServer(text: string): NtpServer {
  const found = parseServer(text);
  if (found === undefined) throw new Error(`${text} is no time server`);
  return found;
}

function parseServer(text: string): NtpServer | undefined {
  const [, ipv6, host = ipv6, port = String(ntpPort)] = address.exec(text) ?? [];
  const isHost = ipv6 === undefined ? hostName.safeParse(host).success : isIPv6(ipv6);
  const number = Number(port);
  return host === undefined || !isHost || number < 1 || number > 65_535
    ? undefined
    : { host, port: number };
}

const server = z
  .string()
  .refine(
    (text) => parseServer(text) !== undefined,
    "must be a time server: HOST, HOST:PORT or [IPV6]:PORT; no scheme",
  );

const seconds = (most: number) => z.int().min(1).max(most);

/**
 * `anchorhold:ntp`: time servers that the timestamp authority holds its clock against. Left out, it
 * asks nobody. The names are those of timestamp-server's own configuration (pkg/ntpmonitor of v2.1.3).
 */
export const ntpSchema = z
  .strictObject({
    servers: z.array(server).min(1).max(10),
    /** How many of them must answer and agree with the pod's clock; more than half if left out. */
    threshold: z.int().min(1).optional(),
    /** Seconds that the clock may differ from a server's. */
    maxTimeDelta: seconds(3600).default(6),
    /** Seconds for an answer. */
    requestTimeout: seconds(60).default(5),
    /** Seconds between two rounds. */
    period: seconds(86_400).default(60),
    /** Whether the machine that runs Pulumi asks the servers before each update. */
    access: z.enum(["direct", "none"], { error: "must be direct or none" }).default("direct"),
  })
  .superRefine(({ servers, threshold, maxTimeDelta, requestTimeout }, context) => {
    const problem = (path: string, message: string) =>
      context.addIssue({ code: "custom", path: [path], message });
    if (new Set(servers).size < servers.length) problem("servers", "has a server twice");
    if (threshold !== undefined && threshold > servers.length)
      problem("threshold", `is ${threshold}, but there are ${servers.length} servers`);
    if (maxTimeDelta < requestTimeout)
      problem("maxTimeDelta", `must be at least requestTimeout, ${requestTimeout}`);
  })
  .transform((ntp) => ({
    ...ntp,
    threshold: ntp.threshold ?? Math.floor(ntp.servers.length / 2) + 1,
  }));
export type Ntp = z.infer<typeof ntpSchema>;

/**
 * timestamp-server's file (--ntp-monitoring): JSON, which is YAML. All servers are asked in each
 * round. A file that it cannot use ends the process, so `ntpSchema` allows none.
 */
export function ntpFile(ntp: Ntp): string {
  const file = {
    request_attempts: 3,
    request_timeout: ntp.requestTimeout,
    num_servers: ntp.servers.length,
    max_time_delta: ntp.maxTimeDelta,
    server_threshold: ntp.threshold,
    period: ntp.period,
    servers: ntp.servers,
  };
  return `${JSON.stringify(file, undefined, 2)}\n`;
}
