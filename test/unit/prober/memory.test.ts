import { describe, expect, test } from "vitest";
import { Remembering, type Keeper } from "../../../infra/platform/prober/program/memory.ts";

interface Stored {
  data?: Record<string, string>;
}

class Shelf implements Keeper<Stored> {
  object: Stored = {};
  broken = false;
  writes = 0;

  read(): Promise<Stored> {
    return this.broken ? Promise.reject(new Error("HTTP 404")) : Promise.resolve(this.object);
  }

  replace(object: Stored): Promise<void> {
    this.writes += 1;
    this.object = object;
    return Promise.resolve();
  }
}

const head = (size: number) => ({ size, rootHash: "0a".repeat(32) });

describe("what the probe has seen", () => {
  test("comes back after a restart, with whatever else lies there", async () => {
    const shelf = new Shelf();
    shelf.object = { data: { other: "kept" } };
    const memory = new Remembering(shelf);
    await memory.load();
    memory.see({ log: "rekor-1", head: head(7) });
    memory.see({ role: "timestamp", version: 12 });
    await memory.save();
    expect(shelf.object.data).toMatchObject({ other: "kept" });
    const next = new Remembering(shelf);
    await next.load();
    expect(next.now).toEqual({ logs: { "rekor-1": head(7) }, roles: { timestamp: 12 } });
  });

  test("is written down only when it has changed", async () => {
    const shelf = new Shelf();
    const memory = new Remembering(shelf);
    await memory.load();
    memory.see({ log: "rekor-1", head: head(7) });
    await memory.save();
    await memory.save();
    expect(shelf.writes).toBe(1);
  });

  test("is not written over what could not be read", async () => {
    const shelf = new Shelf();
    const memory = new Remembering(shelf);
    shelf.broken = true;
    await expect(memory.load()).rejects.toThrow("HTTP 404");
    memory.see({ log: "rekor-1", head: head(3) });
    await expect(memory.save()).rejects.toThrow(/could not be read/);
    shelf.broken = false;
    shelf.object = {
      data: { "memory.json": JSON.stringify({ logs: { "rekor-1": head(9) } }) },
    };
    await memory.load();
    expect(memory.now.logs["rekor-1"]).toEqual(head(9));
  });

  test("is written anew when the object was made anew", async () => {
    const shelf = new Shelf();
    const memory = new Remembering(shelf);
    await memory.load();
    memory.see({ log: "rekor-1", head: head(7) });
    await memory.save();
    shelf.object = {};
    await memory.save();
    expect(shelf.object.data?.["memory.json"]).toContain('"size":7');
  });

  test("is refused when it is none of ours", async () => {
    const shelf = new Shelf();
    shelf.object = { data: { "memory.json": '{"logs":{"rekor-1":{"size":-1}}}' } };
    await expect(new Remembering(shelf).load()).rejects.toThrow();
  });
});
