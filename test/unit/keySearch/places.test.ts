import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { filesUnder, objectPlaces } from "../../support/keySearch/places.ts";
import { ProcessWatch } from "../../support/keySearch/processes.ts";
import { KeySearch } from "../../support/keySearch/search.ts";

const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const bytes = Buffer.from(String(privateKey.export({ format: "jwk" }).d), "base64url");
const searcher = new KeySearch([{ name: "key", bytes, pems: [pem] }]);
const base64 = (text: string) => Buffer.from(text).toString("base64");

describe("files", () => {
  const folder = mkdtempSync(join(tmpdir(), "anchorhold-places-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  test("are found at any depth, packed ones too, but not what is left out", () => {
    const inside = join(folder, "history", "local");
    mkdirSync(inside, { recursive: true });
    mkdirSync(join(folder, "meant"));
    writeFileSync(join(folder, "clean.json"), "{}");
    writeFileSync(join(folder, "state.json.bak"), JSON.stringify({ key: pem }));
    writeFileSync(join(inside, "checkpoint.json.gz"), gzipSync(JSON.stringify({ key: pem })));
    writeFileSync(join(folder, "meant", "key.pem"), pem);
    symlinkSync("/dev/zero", join(folder, "endless"));
    const hits = searcher.search(filesUnder(folder, [join(folder, "meant")]));
    expect(hits.map(({ where }) => where).sort()).toEqual([
      `file ${join(inside, "checkpoint.json.gz")}`,
      `file ${join(folder, "state.json.bak")}`,
    ]);
  });
});

describe("Kubernetes objects", () => {
  const metadata = { namespace: "a", name: "one" };
  const found = (object: Parameters<typeof objectPlaces>[0]) =>
    searcher.search(objectPlaces({ metadata, ...object })).map(({ where }) => where);

  test("a Secret is told by its keys", () => {
    const data = { private: base64(pem), password: "", cert: base64("public") };
    expect(found({ kind: "Secret", data })).toEqual(["Secret a/one private"]);
  });

  test("a Secret's labels and annotations are none of its keys", () => {
    const annotations = { "kubectl.kubernetes.io/last-applied-configuration": pem };
    const labelled = { kind: "Secret", metadata: { ...metadata, annotations }, data: {} };
    expect(found(labelled)).toEqual(["Secret a/one"]);
  });

  test("Helm's record of a Release is unpacked", () => {
    const release = gzipSync(JSON.stringify({ config: { server: { key: pem } } }));
    const data = { release: base64(release.toString("base64")) };
    expect(found({ kind: "Secret", data })).toEqual(["Secret a/one release"]);
  });

  test.each([
    ["ConfigMap", { data: { "config.json": JSON.stringify({ pem }) } }],
    ["ConfigMap", { binaryData: { a: gzipSync(pem).toString("base64") } }],
    ["Pod", { spec: { containers: [{ args: [`--key=${base64(pem)}`] }] } }],
    ["Deployment", { spec: { template: { spec: { containers: [{ env: [{ value: pem }] }] } } } }],
    ["Event", { message: `invalid key ${pem}` }],
  ])("a %s with a key is a leak", (kind, more) => {
    expect(found({ kind, ...more })).toEqual([`${kind} a/one`]);
  });
});

describe("processes", () => {
  /** A process that lives for a while, started with these arguments and variables. */
  async function run(args: string[], env: Record<string, string>): Promise<number> {
    const child = spawn("sh", ["-c", "sleep 0.1; :", ...args], { env: { ...process.env, ...env } });
    await once(child, "exit");
    return child.pid!;
  }

  test("are seen with their command line and environment, also when they are soon gone", async () => {
    const watch = await ProcessWatch.start();
    const shown = await run([base64(pem)], {});
    const told = await run([], { KEY: pem });
    await run(["clean"], { KEY: "none" });
    const hits = searcher.search(await watch.stop());
    const where = hits.map((hit) => hit.where);
    expect(where).toContain(`command line of sh (${shown})`);
    expect(where).toContain(`environment of sh (${told})`);
    // Its `sleep` has the environment of its shell, and nothing else has the key.
    expect(where.every((one) => /of (sh|sleep) /.test(one))).toBe(true);
  });
});
