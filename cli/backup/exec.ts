import { PassThrough, type Readable, type Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { Exec, type KubeConfig, type V1Status } from "@kubernetes/client-node";
import { oneLine } from "../errors.ts";

/** A container that runs. */
export interface Container {
  namespace: string;
  pod: string;
  container: string;
}

/** A program that runs in a container, over the Kubernetes API. */
export interface Running {
  /** What it prints. Must be read to its end: what is not read holds the program up. */
  stdout: Readable;
  /** Writes to its standard input, no faster than the connection takes it. */
  write(chunk: string | Buffer): Promise<void>;
  /** Resolves when the program has ended well. @throws Error with its last words, or the connection's */
  ended: Promise<void>;
  /** Ends the connection; the program gets to the end of its input. */
  close(): void;
}

/** The part of the client's WebSocket that is used here (the package ws). */
interface Channel {
  bufferedAmount: number;
  pause(): void;
  resume(): void;
  close(): void;
  onclose: () => void;
}

/** What may wait in this process on its way in or out. */
const limit = 1024 * 1024;

/** Starts a shell script in a container. Secrets belong into the container's own environment. */
export async function startScript(
  config: KubeConfig,
  { namespace, pod, container }: Container,
  script: string,
): Promise<Running> {
  const stdin = new PassThrough();
  const stdout = new PassThrough({ highWaterMark: limit });
  const stderr = new PassThrough();
  const words = lastWords(stderr);
  const status = Promise.withResolvers<V1Status>();
  const opened: { channel?: Channel } = {};
  const slowed = slowing(stdout, opened);
  const command = ["sh", "-c", script];
  const channel = (await new Exec(config).exec(
    ...([namespace, pod, container, command, slowed, stderr, stdin, false] as const),
    (end) => status.resolve(end),
  )) as unknown as Channel;
  opened.channel = channel;
  channel.onclose = () => {
    stdout.end();
    status.reject(new Error("the connection to the container was lost"));
  };
  const ended = status.promise.then((end) => {
    if (end.status !== "Success") throw new Error(failure(end, words()));
  });
  ended.catch(() => undefined); // whoever waits for it is told
  return {
    stdout,
    ended,
    write: async (chunk) => {
      while (channel.bufferedAmount > limit) await Promise.race([sleep(5), ended]);
      stdin.write(chunk);
    },
    close: () => channel.close(),
  };
}

/** Stops reading from the connection while nobody takes what has come. */
function slowing(stdout: PassThrough, opened: { channel?: Channel }): Writable {
  stdout.on("drain", () => opened.channel?.resume());
  const writer = {
    write: (chunk: Buffer) => {
      const goOn = stdout.write(chunk);
      if (!goOn) opened.channel?.pause();
      return goOn;
    },
    end: () => stdout.end(),
  };
  return writer as unknown as Writable;
}

/** The last line: before it a client may repeat a statement of any length. */
function lastWords(stderr: Readable): () => string {
  let text = "";
  stderr.on("data", (chunk: Buffer) => (text = (text + chunk.toString()).slice(-2000)));
  return () => text.trim().split("\n").at(-1) ?? "";
}

function failure(status: V1Status, words: string): string {
  return oneLine(words || (status.message ?? "the program failed without a word"));
}
