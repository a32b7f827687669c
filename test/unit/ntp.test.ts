import { createSocket } from "node:dgram";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ntpSchema, ntpServer } from "../../infra/config/ntp.ts";
import { askNtp, readAnswer } from "../../infra/observe/ntp.ts";
import { judgeTimeServers } from "../../infra/preflight/timeServers.ts";
import { NtpServerStandIn } from "../support/ntpServer.ts";

describe("a time server that is asked", () => {
  let server: NtpServerStandIn;
  beforeAll(async () => {
    server = await NtpServerStandIn.start();
  });
  afterAll(() => server.close());
  const ask = (limitMs = 2000) => askNtp("it", ntpServer(server.address), limitMs);

  test.each([0, 42.5, -3600])("%s s ahead", async (ahead) => {
    server.faults = { ahead };
    const answer = await ask();
    expect(answer).toHaveProperty("offset");
    expect("offset" in answer && answer.offset).toBeCloseTo(ahead, 0);
  });

  test("has no time itself", async () => {
    server.faults = { unsynchronised: true };
    expect(await ask()).toMatchObject({
      trouble: expect.stringContaining("not synchronised") as string,
    });
  });

  test("says nothing: it is given up in time", async () => {
    server.faults = { silent: true };
    const before = Date.now();
    expect(await ask(300)).toEqual({ server: "it", trouble: "no answer in 0.3 s" });
    expect(Date.now() - before).toBeLessThan(2000);
  });

  test("is not there, or has no address", async () => {
    const free = createSocket("udp4").bind(0, "127.0.0.1");
    await new Promise((resolve) => free.once("listening", resolve));
    const { port } = free.address();
    await new Promise<void>((resolve) => free.close(() => resolve()));
    expect(await askNtp("it", { host: "127.0.0.1", port }, 500)).toHaveProperty("trouble");
    const unknown = await askNtp("it", { host: "no.such.name.invalid", port }, 500);
    expect(unknown).toMatchObject({
      trouble: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/) as string,
    });
  });
});

describe("an answer", () => {
  const nonce = Buffer.from("0123456789abcdef", "hex");
  const at = { nonce, sent: 0, received: 0 };
  const packet = (change: (bytes: Buffer) => void) => {
    const bytes = Buffer.alloc(48);
    bytes[0] = 0x24;
    bytes[1] = 2;
    nonce.copy(bytes, 24);
    change(bytes);
    return bytes;
  };
  test.each<[string, Buffer, RegExp]>([
    ["that is short", Buffer.alloc(47), /is no NTP/],
    ["of a client", packet((bytes) => (bytes[0] = 0x23)), /not a server's/],
    ["to somebody else", packet((bytes) => (bytes[24] = 9)), /to another request/],
    [
      "that sends away (kiss of death)",
      packet((bytes) => {
        bytes[1] = 0;
        bytes.write("RATE", 12, "latin1");
      }),
      /it refuses \(RATE\)/,
    ],
    ["of stratum 16", packet((bytes) => (bytes[1] = 16)), /not synchronised/],
  ])("%s is none", (_what, bytes, why) => {
    expect(readAnswer(bytes, at)).toMatchObject({ trouble: expect.stringMatching(why) as string });
  });
});

describe("before the deployment", () => {
  const ntp = ntpSchema.parse({ servers: ["a.test", "b.test", "c.test"] });
  const good = (server: string, offset = 0.01) => ({ server, offset });
  const silent = (server: string) => ({ server, trouble: "no answer in 5 s" });

  test("servers that answer are no word worth", () => {
    expect(
      judgeTimeServers(
        ntp,
        ntp.servers.map((server) => good(server)),
      ),
    ).toEqual([]);
  });

  test("too few that answer are one error that names each silent one and the way out", () => {
    const judge = () => judgeTimeServers(ntp, [good("a.test"), silent("b.test"), silent("c.test")]);
    expect(judge).toThrow(/1 of 3 time servers answer this machine, and 2 must agree/);
    expect(judge).toThrow(/- b\.test: no answer in 5 s\n {2}- c\.test: no answer in 5 s/);
    expect(judge).toThrow(/anchorhold:ntp\.access to none/);
  });

  test("one that is silent while enough answer, and a clock that is wrong, are warnings", () => {
    const [one, two] = judgeTimeServers(ntp, [
      silent("a.test"),
      good("b.test", -9),
      good("c.test"),
    ]);
    expect(one).toContain("a.test: no answer in 5 s. Enough others answer");
    expect(two).toContain("clock differs from b.test by -9.0 s");
  });
});
