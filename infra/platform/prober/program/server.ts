import { createServer, type Server } from "node:http";
import type { Board } from "./metrics.ts";

/** Rounds that may be missed until the probe counts as stuck, and what a slow one may take beside. */
const missed = 3;
const slow = 120;

/** Serves `/metrics`, and `/healthz` for the kubelet: whether rounds still end. */
export function serve(board: Board, every: number, startedAt: Date): Server {
  return createServer(({ url }, response) => {
    if (url === "/metrics") {
      response.setHeader("content-type", "text/plain; version=0.0.4; charset=utf-8");
      response.end(board.render());
      return;
    }
    const healthy = url === "/healthz" && isHealthy(board, every, startedAt, new Date());
    response.statusCode = url === "/healthz" ? (healthy ? 200 : 503) : 404;
    response.end(healthy ? "ok\n" : "");
  });
}

/** Whether a round has ended not too long ago. What the checks found says nothing of the probe. */
export function isHealthy(board: Board, every: number, startedAt: Date, now: Date): boolean {
  const last = board.get("anchorhold_probe_round_timestamp_seconds");
  const since = last ?? startedAt.getTime() / 1000;
  return now.getTime() / 1000 - since < missed * every + slow;
}
