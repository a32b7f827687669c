import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";

// The module's folders are fixed when it is loaded.
const home = mkdtempSync(join(tmpdir(), "anchorhold-node-"));
process.env["ANCHORHOLD_HOME"] = home;
const processes = await import("../../../local/node/processes.ts");
const { waitFor } = await import("../../../local/node/wait.ts");

afterAll(() => rmSync(home, { recursive: true, force: true }));

const sleeper = (name: string): Parameters<typeof processes.ensureProcess>[0] => ({
  name,
  program: "sleep",
  args: ["60"],
});

describe("processes", () => {
  test("state and start time survive a name with spaces and parentheses", () => {
    const after = ["S", ...Array.from({ length: 18 }, (_, index) => String(index)), "98765", "0"];
    expect(processes.parseStat(`42 (a ) (b) ${after.join(" ")}`)).toEqual({
      state: "S",
      start: "98765",
    });
  });

  test("this process is identified, a process that never was is not", () => {
    expect(processes.identify(process.pid)?.start).toMatch(/^\d+$/);
    expect(processes.identify(2 ** 22 + 1)).toBeUndefined();
  });

  test("a process is started once, recorded, and ended by its record", async () => {
    processes.ensureProcess(sleeper("one"));
    const first = processes.livingRecord("one");
    processes.ensureProcess(sleeper("one"));
    expect(first).toBeDefined();
    expect(processes.livingRecord("one")).toEqual(first);
    expect(processes.runsAs(sleeper("one"))).toBe(true);
    expect(processes.runsAs({ ...sleeper("one"), args: ["61"] })).toBe(false);
    await processes.endRecorded(["one"], 5_000);
    expect(processes.identify(first!.pid)).toBeUndefined();
    expect(processes.livingRecords()).toEqual([]);
  });

  test("a process that took over a pid is left alone", async () => {
    const child = spawn("sleep", ["60"]);
    const id = processes.identify(child.pid!)!;
    await processes.endProcesses([{ ...id, start: String(Number(id.start) - 1) }], 100);
    await processes.endProcesses([{ ...id, boot: "another" }], 100);
    expect(processes.isAlive(id)).toBe(true);
    await processes.endProcesses([id], 5_000);
    expect(processes.isAlive(id)).toBe(false);
  });

  test("a process that ignores TERM is killed", async () => {
    const child = spawn("sh", ["-c", "trap '' TERM; echo set; while :; do sleep 0.1; done"]);
    await new Promise((resolve) => child.stdout.once("data", resolve));
    const id = processes.identify(child.pid!)!;
    await processes.endProcesses([id], 200);
    expect(processes.isAlive(id)).toBe(false);
  });

  test("a program that is not there is an error that names it", () => {
    const spec = { name: "none", program: "/no/such/program", args: [] };
    expect(() => processes.ensureProcess(spec)).toThrow("/no/such/program");
  });

  test("a second start or stop is refused while one is under way", async () => {
    await processes.withNodeLock(async () => {
      await expect(processes.withNodeLock(() => Promise.resolve())).rejects.toThrow(
        `pid ${process.pid}`,
      );
    });
    await expect(processes.withNodeLock(() => Promise.resolve("free"))).resolves.toBe("free");
  });
});

describe("waiting", () => {
  test("ends at once when the component has ended, with the end of its log", async () => {
    const spec = { name: "brief", program: "sh", args: ["-c", "echo a reason >&2; sleep 0.2"] };
    processes.ensureProcess(spec);
    const begin = Date.now();
    const waited = waitFor("brief", () => Promise.resolve("no answer"), 20_000);
    await expect(waited).rejects.toThrow(/brief has ended by itself \(no answer\)[^]*a reason/);
    expect(Date.now() - begin).toBeLessThan(10_000);
    expect(readFileSync(processes.logPath("brief"), "utf8")).toBe("a reason\n");
  });

  test("gives up after its limit, naming what was missing", async () => {
    processes.ensureProcess(sleeper("slow"));
    const waited = waitFor("slow", () => Promise.resolve("nobody home"), 300);
    await expect(waited).rejects.toThrow("slow is not ready after 0.3 s (nobody home)");
    await processes.endRecorded(["slow"], 5_000);
  });
});
