import { readFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { describeBusyPorts, parseListeners, ports } from "../../../local/node/ports.ts";

describe("the node's ports", () => {
  test("are distinct, and out of the way of NodePorts and outgoing connections", () => {
    const numbers = Object.values(ports);
    expect(new Set(numbers).size).toBe(numbers.length);
    for (const port of numbers) {
      expect(port).toBeGreaterThan(1023);
      expect(port).toBeLessThan(30_000);
    }
  });

  test("a listener is found in the kernel's own table", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const found = (): boolean =>
      parseListeners(readFileSync("/proc/net/tcp", "utf8")).some((each) => each.port === port);
    expect(found()).toBe(true);
    await new Promise((resolve) => server.close(resolve));
    expect(found()).toBe(false);
  });

  test("a connection is no listener", () => {
    const table = [
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
      "   0: 0100007F:56FB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1",
      "   1: 0100007F:56FB 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 4712 1",
    ].join("\n");
    expect(parseListeners(table)).toEqual([{ port: 0x56fb, inode: "4711" }]);
  });

  test("the message names port, part, holder and remedy", () => {
    const text = describeBusyPorts(
      [
        { part: "kube-apiserver", port: 26443, pid: 7 },
        { part: "etcd (peers)", port: 22380 },
      ],
      (pid) => `program-${pid}`,
    );
    expect(text).toContain("port 26443, wanted by kube-apiserver, is held by program-7 (pid 7)");
    expect(text).toContain("port 22380, wanted by etcd (peers), is held by an unknown process");
    expect(text).toContain("npm run down");
  });
});
