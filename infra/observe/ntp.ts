import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { lookup } from "node:dns/promises";
import type { NtpServer } from "../config/ntp.ts";
import { oneLine } from "./errors.ts";

/** What a time server said. */
export type NtpAnswer =
  /** Its time minus this machine's, in seconds. */
  | { server: string; offset: number }
  /** Why its answer is none. */
  | { server: string; trouble: string };

const packetBytes = 48;
/** No leap second announced, version 4, mode client (RFC 5905, figure 8). */
const clientMode = 0x23;
/** Where a packet has its times: of the request, of its arrival, of the answer. */
const originAt = 24;
const receiveAt = 32;
const transmitAt = 40;
/** Seconds from 1900, which NTP counts from, to 1970. */
const epoch = 2_208_988_800;

/** A time of 32 bits for seconds and 32 for their fraction, as ms since 1970. */
function timeAt(packet: Buffer, offset: number): number {
  return (packet.readUInt32BE(offset) - epoch + packet.readUInt32BE(offset + 4) / 2 ** 32) * 1000;
}

/**
 * Reads an answer to a request that carried `nonce` as its time (RFC 5905, section 8).
 * @param sent, received when, by this machine's clock, in ms since 1970
 * @returns seconds that the server is ahead, or why the answer is none
 */
export function readAnswer(
  packet: Buffer,
  { nonce, sent, received }: { nonce: Buffer; sent: number; received: number },
): { offset: number } | { trouble: string } {
  if (packet.length < packetBytes) return { trouble: "its answer is no NTP" };
  if ((packet.readUInt8(0) & 7) !== 4) return { trouble: "its answer is not a server's" };
  if (!packet.subarray(originAt, receiveAt).equals(nonce))
    return { trouble: "its answer is to another request" };
  const [leap, stratum] = [packet.readUInt8(0) >> 6, packet.readUInt8(1)];
  if (stratum === 0)
    return { trouble: `it refuses (${packet.toString("latin1", 12, 16).replace(/\W/g, "")})` };
  if (leap === 3 || stratum > 15) return { trouble: "it has no time itself (not synchronised)" };
  const ahead = (timeAt(packet, receiveAt) - sent + (timeAt(packet, transmitAt) - received)) / 2;
  return { offset: ahead / 1000 };
}

/** Asks a time server once. It takes `limitMs` at most and never throws. */
export async function askNtp(
  server: string,
  { host, port }: NtpServer,
  limitMs: number,
): Promise<NtpAnswer> {
  const answer = lookup(host).then(
    ({ address, family }) => exchange({ address, port, family }, limitMs),
    (error: unknown) => ({ trouble: oneLine(error) }),
  );
  return { server, ...(await answer) };
}

function exchange(
  { address, port, family }: { address: string; port: number; family: number },
  limitMs: number,
): Promise<{ offset: number } | { trouble: string }> {
  const socket = createSocket(family === 6 ? "udp6" : "udp4");
  // Only the server repeats it: a random one keeps answers of others out (RFC 9109 does likewise).
  const nonce = randomBytes(8);
  const request = Buffer.concat([Buffer.from([clientMode]), Buffer.alloc(transmitAt - 1), nonce]);
  return new Promise<{ offset: number } | { trouble: string }>((resolve) => {
    const timer = setTimeout(
      () => resolve({ trouble: `no answer in ${limitMs / 1000} s` }),
      limitMs,
    );
    const end = (result: { offset: number } | { trouble: string }) => {
      clearTimeout(timer);
      resolve(result);
    };
    let sent = 0;
    socket.on("message", (packet) =>
      end(readAnswer(packet, { nonce, sent, received: Date.now() })),
    );
    socket.on("error", (error) => end({ trouble: oneLine(error) }));
    socket.connect(port, address, () => {
      sent = Date.now();
      socket.send(request);
    });
  }).finally(() => socket.close());
}
