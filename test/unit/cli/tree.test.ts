import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { connect, type Tree, type Trillian } from "../../../cli/trillian/client.ts";
import { ensureTree, findTree } from "../../../cli/trillian/tree.ts";
import { TrillianStandIn } from "../../support/trillian.ts";

const identity = { name: "rekor-1", description: "anchorhold local rekor generation 1" };
const patience = { limitMs: 5_000, pauseMs: 10 };
const tree = (overrides: Partial<Tree>): Tree => ({
  treeId: "1",
  treeState: "ACTIVE",
  treeType: "LOG",
  displayName: identity.name,
  description: identity.description,
  ...overrides,
});

describe("findTree", () => {
  test("matches the description only", () => {
    const other = tree({ treeId: "2", description: "another log of the same name" });
    expect(findTree([other], identity)).toBeUndefined();
    expect(findTree([other, tree({})], identity)?.treeId).toBe("1");
  });

  test("refuses to choose between two, and names both", () => {
    expect(() => findTree([tree({}), tree({ treeId: "2" })], identity)).toThrow(
      /2 trees described .* \(1, 2\)/,
    );
  });

  test("refuses a tree of another name or type", () => {
    expect(() => findTree([tree({ displayName: "ctlog-1" })], identity)).toThrow(/named "ctlog-1"/);
    expect(() => findTree([tree({ treeType: "PREORDERED_LOG" })], identity)).toThrow(/PREORDERED/);
  });
});

describe("ensureTree over gRPC", () => {
  let server: TrillianStandIn;
  let address: string;
  let client: Trillian;
  beforeEach(async () => {
    server = new TrillianStandIn();
    address = await server.listen();
    client = connect(address);
  });
  afterEach(() => {
    client.close();
    server.close();
  });

  test("makes one initialised tree, and finds it at the second run", async () => {
    const first = await ensureTree(client, identity, patience);
    const second = await ensureTree(client, identity, patience);
    expect(second).toBe(first);
    expect(BigInt(first)).toBeGreaterThan(BigInt(Number.MAX_SAFE_INTEGER));
    expect(server.trees).toMatchObject([
      { treeId: first, treeState: "ACTIVE", treeType: "LOG", displayName: "rekor-1" },
    ]);
    expect([...server.initialised]).toEqual([first]);
  });

  test("a lost reply does not make a second tree", async () => {
    server.loseReplies = 2;
    await ensureTree(client, identity, patience);
    expect(server.trees).toHaveLength(1);
    expect(server.calls.filter((name) => name === "CreateTree")).toHaveLength(1);
    expect(server.initialised.size).toBe(1);
  });

  test("a tree left uninitialised by a killed run is initialised", async () => {
    server.trees.push(tree({ treeId: "42" }));
    expect(await ensureTree(client, identity, patience)).toBe("42");
    expect([...server.initialised]).toEqual(["42"]);
    expect(server.calls).not.toContain("CreateTree");
  });

  test("waits for a server that is not ready", async () => {
    server.refuse.push({ method: "ListTrees", code: status.UNAVAILABLE, times: 3 });
    await ensureTree(client, identity, patience);
    expect(server.trees).toHaveLength(1);
  });

  test("gives up after the limit and says where to look", async () => {
    server.refuse.push({ method: "ListTrees", code: status.UNAVAILABLE, times: 1e9 });
    await expect(ensureTree(client, identity, { limitMs: 100, pauseMs: 10 })).rejects.toThrow(
      /did not answer within .*MySQL/,
    );
    expect(server.trees).toHaveLength(0);
  });

  test("does not repeat a call that was refused for good", async () => {
    server.refuse.push({ method: "CreateTree", code: status.PERMISSION_DENIED, times: 1 });
    await expect(ensureTree(client, identity, patience)).rejects.toThrow(/PERMISSION_DENIED/);
    expect(server.calls).toEqual(["ListTrees", "CreateTree"]);
  });

  test("the command prints the id alone, twice the same", async () => {
    const runs = [await command(address), await command(address)];
    expect(runs[0]?.stdout).toMatch(/^\{"treeId":"\d+"\}\n$/);
    expect(runs[1]?.stdout).toBe(runs[0]?.stdout);
    expect(runs[0]?.stderr).toBe("");
  });
});

describe("arguments", () => {
  test.each([
    [["--address", "127.0.0.1:1", "--port-forward", "a/b:1"], /either --address/],
    [[], /either --address/],
    [["--address", "nohost"], /HOST:PORT/],
    [["--port-forward", "nothing"], /NAMESPACE\/SERVICE:PORT/],
  ])("%j ends with exit code 2", async (args, message) => {
    const failed: unknown = await run(["--name", "x", "--description", "y", ...args]).catch(
      (error: unknown) => error,
    );
    expect(failed).toMatchObject({ code: 2, stdout: "" });
    expect((failed as { stderr: string }).stderr).toMatch(message);
  });

  test("a name that Trillian cannot store", async () => {
    const args = ["--name", "a".repeat(21), "--description", "y", "--address", "127.0.0.1:1"];
    const failed: unknown = await run(args).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 2 });
    expect((failed as { stderr: string }).stderr).toMatch(/21 characters/);
  });
});

const run = (args: string[]) =>
  promisify(execFile)(process.execPath, ["cli/main.ts", "tree", "create", ...args]);
const command = (address: string) =>
  run(["--name", identity.name, "--description", identity.description, "--address", address]);
