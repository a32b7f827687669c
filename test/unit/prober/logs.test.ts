import { generateKeyPairSync, sign } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { TrustedRoot } from "@sigstore/protobuf-specs";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { treeHeadInput } from "../../../infra/observe/sth.ts";
import { checkLog } from "../../../infra/platform/prober/program/logs.ts";
import { Remembering } from "../../../infra/platform/prober/program/memory.ts";
import { Board } from "../../../infra/platform/prober/program/metrics.ts";
import { Gone } from "../../../infra/platform/prober/program/outcome.ts";
import type { ProbedLog } from "../../../infra/platform/prober/program/settings.ts";
import { Trees } from "../../engine/support/served/trees.ts";

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const publicKeyPem = publicKey.export({ type: "spki", format: "pem" }).toString();
const treeId = "7";

let trees: Trees;
let server: Server;
let log: ProbedLog;
let answers: number;

/** The tree head as a CT log signs it (RFC 6962, section 3.5). */
function head() {
  const unsigned = {
    tree_size: trees.size(treeId),
    timestamp: 1_700_000_000_000,
    sha256_root_hash: trees.rootHash(treeId).toString("base64"),
    tree_head_signature: "",
  };
  const signature = sign("sha256", treeHeadInput(unsigned), privateKey);
  const start = Buffer.from([4, 3, signature.length >> 8, signature.length & 255]);
  const tree_head_signature = Buffer.concat([start, signature]).toString("base64");
  return { ...unsigned, tree_head_signature };
}

function answer(url: URL): object | undefined {
  if (url.pathname === "/ctlog-1/ct/v1/get-sth") return head();
  if (url.pathname !== "/ctlog-1/ct/v1/get-sth-consistency") return undefined;
  const [first, second] = ["first", "second"].map((name) => Number(url.searchParams.get(name)));
  const path = trees.consistency(treeId, first!, second!);
  return { consistency: path.map((hash) => hash.toString("base64")) };
}

beforeEach(async () => {
  trees = new Trees();
  answers = 0;
  server = createServer(({ url = "" }, response) => {
    answers += 1;
    const body = answer(new URL(url, "http://log"));
    response.statusCode = body === undefined ? 404 : 200;
    response.end(JSON.stringify(body ?? {}));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  log = {
    ...{ name: "ctlog-1", kind: "ctLog", service: "ns/ctlog:80", origin: "ctlog-1" },
    ...{ publicKeyPem, treeId },
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  };
});
afterEach(() => new Promise((done) => server.close(done)));

function scene(trust?: TrustedRoot) {
  let data: Record<string, string> = {};
  const keeper = {
    read: () => Promise.resolve({ data }),
    replace: (object: { data?: Record<string, string> }) => {
      data = object.data ?? {};
      return Promise.resolve();
    },
  };
  return { board: new Board({ stack: "s" }), memory: new Remembering(keeper), keeper, trust };
}

const grow = (entries: number) => {
  for (let n = 0; n < entries; n += 1) trees.append(treeId);
};
const check = (known: ReturnType<typeof scene>) =>
  checkLog(log, known, AbortSignal.timeout(10_000), 1);
const consistent = ({ board }: ReturnType<typeof scene>) =>
  board.get("anchorhold_log_consistent", { log: "ctlog-1" });

describe("a log that is checked again and again", () => {
  test("is consistent however it grows, and the probe remembers how far it was", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 9 }), { maxLength: 6 }), async (steps) => {
        trees.forget(treeId, 0);
        const known = scene();
        for (const step of [1, ...steps]) {
          grow(step);
          await check(known);
          expect(consistent(known)).toBe(1);
          expect(known.memory.now.logs["ctlog-1"]?.size).toBe(trees.size(treeId));
        }
      }),
      { numRuns: 25 },
    );
  });

  test("has forgotten entries when it is shorter than it was, and keeps being so", async () => {
    const known = scene();
    grow(9);
    await check(known);
    trees.forget(treeId, 5);
    await expect(check(known)).rejects.toThrow(/a tree of 5 entries .* a tree of 9 entries/);
    expect(consistent(known)).toBe(0);
    expect(known.board.get("anchorhold_log_entries", { log: "ctlog-1" })).toBe(5);
    expect(known.memory.now.logs["ctlog-1"]?.size).toBe(9);
  });

  test("is another log when it grew anew past where it was", async () => {
    const known = scene();
    grow(9);
    await check(known);
    const before = { size: 9, rootHash: "ab".repeat(32) };
    known.memory.see({ log: "ctlog-1", head: before });
    grow(4);
    await expect(check(known)).rejects.toThrow(/13 entries .* does not continue .* 9 entries/);
    expect(consistent(known)).toBe(0);
  });

  test("is forgiven a replica that lags behind for a moment", async () => {
    const known = scene();
    grow(9);
    await check(known);
    trees.forget(treeId, 8);
    answers = 0;
    server.once("request", () => trees.forget(treeId, 9));
    await check(known);
    expect(consistent(known)).toBe(1);
    expect(answers).toBe(2);
  });

  test("is found out by the next pod as well", async () => {
    const known = scene();
    grow(9);
    await known.memory.load();
    await check(known);
    await known.memory.save();
    trees.forget(treeId, 5);
    const next = { ...scene(), memory: new Remembering(known.keeper) };
    await next.memory.load();
    await expect(check(next)).rejects.toThrow(/does not continue/);
  });
});

describe("a log that does not answer", () => {
  const trustUntil = (end: Date | undefined) =>
    ({
      tlogs: [],
      ctlogs: [
        {
          publicKey: {
            rawBytes: publicKey.export({ type: "spki", format: "der" }),
            validFor: { start: new Date(0), end },
          },
        },
      ],
    }) as unknown as TrustedRoot;

  test("has failed while somebody may write to it, and is gone when its window has an end", async () => {
    log = { ...log, origin: "elsewhere" };
    await expect(check(scene())).rejects.toThrow(/HTTP 404/);
    await expect(check(scene(trustUntil(undefined)))).rejects.toThrow(/HTTP 404/);
    await expect(check(scene(trustUntil(new Date(Date.now() + 60_000))))).rejects.toThrow(Gone);
  });
});
