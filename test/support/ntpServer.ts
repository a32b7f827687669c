import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";

/** How a time server errs. */
export interface NtpFaults {
  /** Seconds that it is ahead of this machine. */
  ahead?: number;
  /** Says that it has no time itself. */
  unsynchronised?: boolean;
  /** Answers nothing. */
  silent?: boolean;
}

/** A time server on this machine (RFC 5905): no address of the Internet is asked by a test. */
export class NtpServerStandIn {
  readonly address: string;
  /** Requests that came. */
  asked = 0;
  /** The addresses that they came from. */
  readonly callers = new Set<string>();
  faults: NtpFaults = {};
  private readonly socket: Socket;

  private constructor(socket: Socket, host: string) {
    this.socket = socket;
    this.address = `${host}:${socket.address().port}`;
    socket.on("message", (request, { address, port }) => {
      this.asked += 1;
      this.callers.add(address);
      if (this.faults.silent !== true) socket.send(this.answer(request), port, address);
    });
  }

  static async start(host = "127.0.0.1"): Promise<NtpServerStandIn> {
    const socket = createSocket("udp4").bind(0, host);
    await once(socket, "listening");
    return new NtpServerStandIn(socket, host);
  }

  close(): void {
    this.socket.close();
  }

  private answer(request: Buffer): Buffer {
    const { ahead = 0, unsynchronised = false } = this.faults;
    const answer = Buffer.alloc(48);
    answer[0] = ((unsynchronised ? 3 : 0) << 6) | (4 << 3) | 4; // leap, version 4, mode server
    answer[1] = unsynchronised ? 16 : 1; // stratum
    request.copy(answer, 24, 40, 48); // the request's time comes back as its origin
    const seconds = Date.now() / 1000 + 2_208_988_800 + ahead;
    for (const offset of [16, 32, 40]) {
      answer.writeUInt32BE(Math.floor(seconds), offset);
      answer.writeUInt32BE(Math.floor((seconds % 1) * 2 ** 32), offset + 4);
    }
    return answer;
  }
}
