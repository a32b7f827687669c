import { execFile } from "node:child_process";
import { webcrypto } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ApiError, type ConfigMap } from "../../infra/platform/tuf/program/configMap.ts";
import { run } from "../../infra/platform/tuf/program/run.ts";
import { programEntry, programFiles, programKey } from "../../infra/platform/tuf/programFiles.ts";
import { signSnapshot } from "../../infra/trust/tuf/metadata.ts";
import { isTimestampOf, readTimestamp, renewTimestamp } from "../../infra/trust/tuf/timestamp.ts";
import { snapshotMeta, type LastSigning } from "../../infra/trust/tuf/timestamp.ts";
import { ecKeyPair } from "./trust/fixture.ts";

const key = ecKeyPair();
const lifeSeconds = 7 * 86_400;
const path = "/api/v1/namespaces/tuf/configmaps/tuf-timestamp";

const snapshotOf = (version: number) =>
  signSnapshot({
    version,
    expires: new Date(Date.now() + 86_400_000),
    targets: { version, content: "targets" },
    signer: key,
  });

/** A certificate that is its own authority. */
async function selfSigned(): Promise<{ key: string; cert: string }> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=api",
    keys: keys as never,
    signingAlgorithm: algorithm,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: "dns", value: "localhost" }])],
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
  const pem = x509.PemConverter.encode(pkcs8, "PRIVATE KEY");
  return { key: pem, cert: cert.toString("pem") };
}

/** One ConfigMap behind the API of Kubernetes, with its rules about who may do what. */
class ApiStandIn {
  object: (ConfigMap & { metadata: { resourceVersion: string } }) | undefined;
  writes = 0;
  /** Called before each write: somebody else may be faster. */
  beforeWrite: () => void = () => undefined;
  #server!: Server;

  async open(tls: { key: string; cert: string }): Promise<void> {
    this.#server = createServer(tls, (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        const { method = "", url = "", headers } = request;
        const [status, body] = this.answer(method, url, headers.authorization, text);
        response.writeHead(status).end(JSON.stringify(body));
      });
    });
    await new Promise<void>((done) => this.#server.listen(0, "127.0.0.1", done));
  }

  get address(): string {
    return `localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
  }

  private answer(
    method: string,
    url: string,
    authorization: string | undefined,
    text: string,
  ): [number, object] {
    const { pathname } = new URL(`http://x${url}`);
    if (authorization !== "Bearer the-token") return [401, { message: "Unauthorized" }];
    if (pathname !== path) return [403, { message: `configmaps is forbidden: ${pathname}` }];
    if (this.object === undefined) {
      return [404, { message: 'configmaps "tuf-timestamp" not found' }];
    }
    if (method === "GET") return [200, this.object];
    this.beforeWrite();
    const written = JSON.parse(text) as typeof this.object;
    const current = Number(this.object.metadata.resourceVersion);
    if (written.metadata.resourceVersion !== String(current)) {
      return [409, { message: "the object has been modified" }];
    }
    this.writes++;
    const metadata = { ...written.metadata, resourceVersion: String(current + 1) };
    this.object = { ...written, metadata };
    return [200, this.object];
  }
}

describe("the signer as the cluster runs it", () => {
  const api = new ApiStandIn();
  let folder = "";
  let tls: { key: string; cert: string };
  const at = (name: string) => join(folder, name);

  /** What a volume of Kubernetes looks like: links to files in a folder that is swapped as a whole. */
  function mount(place: string, files: Record<string, string>): void {
    const data = join(place, "..2026_01_01");
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(data, dirname(name)), { recursive: true });
      writeFileSync(join(data, name), text);
    }
    symlinkSync("..2026_01_01", join(place, "..data"));
    for (const name of new Set(Object.keys(files).map((file) => file.split("/")[0]!))) {
      symlinkSync(join("..data", name), join(place, name));
    }
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "tuf-signer-"));
    tls = await selfSigned();
    await api.open(tls);
    mount(at("program"), programFiles());
    mount(at("account"), { token: "the-token\n", "ca.crt": tls.cert });
    mount(at("key"), { "key.pem": key.privateKeyPem });
    mount(at("snapshot"), { "snapshot.json": snapshotOf(5) });
  });

  beforeEach(() => {
    const metadata = { resourceVersion: "7", labels: { kept: "yes" } };
    api.object = { metadata, apiVersion: "v1", kind: "ConfigMap" } as ApiStandIn["object"];
    api.beforeWrite = () => undefined;
    api.writes = 0;
  });

  afterAll(() => {
    api.close();
    rmSync(folder, { recursive: true });
  });

  const flags = () => ({
    server: api.address,
    account: at("account"),
    namespace: "tuf",
    object: "tuf-timestamp",
    snapshot: at("snapshot/snapshot.json"),
    key: at("key/key.pem"),
    life: String(lifeSeconds),
  });

  function start(changes: Record<string, string> = {}) {
    const args = Object.entries({ ...flags(), ...changes }).flatMap(([name, value]) =>
      value === "" ? [] : [`--${name}`, value],
    );
    const main = at(`program/${programEntry}`);
    return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      // Nothing from outside: no NODE_OPTIONS, no path to this project's packages.
      const options = { cwd: "/", env: {} };
      execFile(process.execPath, [main, ...args], options, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
      );
    });
  }

  function remember(last: LastSigning): void {
    api.object = { ...api.object!, data: { last: JSON.stringify(last) } };
  }

  test("signs with nothing but the files that it is mounted", async () => {
    const { code, stdout, stderr } = await start();
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^signed timestamp \d+ for snapshot 5 with key [0-9a-f]{64}\n$/);
    const content = api.object?.data?.["timestamp-5.json"] ?? "";
    expect(isTimestampOf(key.publicKeyPem, content)).toBe(true);
    const { version, expires } = readTimestamp(content)!;
    expect(Math.abs(version - Date.now() / 1000)).toBeLessThan(60);
    expect(expires.getTime() / 1000 - version).toBe(lifeSeconds);
    expect(api.object).toMatchObject({ kind: "ConfigMap", metadata: { labels: { kept: "yes" } } });
  });

  test("reads again when somebody else was faster", async () => {
    const now = new Date();
    const faster = { snapshot: snapshotMeta(snapshotOf(5)), key, lifeSeconds, now };
    api.beforeWrite = () => {
      api.beforeWrite = () => undefined;
      const last = { version: 4e9, snapshotVersion: 5, signed: now.toISOString() };
      remember(renewTimestamp({ ...faster, last }).last);
      api.object!.metadata.resourceVersion = "8";
    };
    expect((await start()).stdout).toContain("signed timestamp 4000000002 for snapshot 5");
    expect(api.writes).toBe(1);
  });

  test("is content where a newer snapshot has been signed", async () => {
    await start();
    const last = JSON.parse(api.object?.data?.["last"] ?? "") as LastSigning;
    api.object!.data!["last"] = JSON.stringify({ ...last, snapshotVersion: 6 });
    const { code, stdout } = await start();
    expect(code).toBe(0);
    expect(stdout).toBe("the newer snapshot 6 has been signed; nothing to do for 5\n");
    expect(api.writes).toBe(1);
  });

  const behind = () => {
    const signed = new Date(Date.now() + 3_600_000).toISOString();
    remember({ version: 1, snapshotVersion: 1, signed });
  };
  const gone = () => void (api.object = undefined);
  const nothing = () => undefined;
  test.each<[string, () => void, Record<string, string>, RegExp]>([
    ["a clock that is behind", behind, {}, /^the clock says .* Set this node's clock\.\n$/],
    ["an object that is gone", gone, {}, /HTTP 404.*not found\nRun `pulumi up --refresh`/],
    ["another object", nothing, { object: "other" }, /HTTP 403: configmaps is forbidden/],
    ["a flag left out", nothing, { key: "" }, /^--key is missing\n$/],
    ["a life without a number", nothing, { life: "7d" }, /^--life 7d: must be seconds\n$/],
    ["a key for a snapshot", nothing, { snapshot: "key/key.pem" }, /^not a snapshot.json\n$/],
    ["a snapshot for a key", nothing, { key: "snapshot/snapshot.json" }, /DECODER/],
    ["no API server", nothing, { server: "localhost:9" }, /ECONNREFUSED/],
  ])(
    "fails for %s, plainly and with no trace of the key",
    async (_, prepare, changes, expected) => {
      prepare();
      const paths = ["key", "snapshot"].filter((name) => changes[name]);
      const places = Object.fromEntries(paths.map((name) => [name, at(changes[name]!)]));
      const { code, stdout, stderr } = await start({ ...changes, ...places });
      expect([code, stdout, api.writes]).toEqual([1, "", 0]);
      expect(stderr).toMatch(expected);
      expect(stderr).not.toMatch(/PRIVATE|the-token/);
    },
  );

  test("trusts no API server but its cluster's own", async () => {
    mount(at("other"), { token: "the-token", "ca.crt": (await selfSigned()).cert });
    const { code, stderr } = await start({ account: at("other") });
    expect([code, api.writes]).toEqual([1, 0]);
    expect(stderr).toMatch(/certificate/);
  });

  test("has a key of its own in the ConfigMap for each file", () => {
    const keys = Object.keys(programFiles()).map(programKey);
    expect(new Set(keys).size).toBe(keys.length);
    for (const name of keys) expect(name).toMatch(/^[-._a-zA-Z0-9]{1,253}$/);
  });
});

test("a signer that always loses gives up", async () => {
  let reads = 0;
  const object = {
    read: () => Promise.resolve({ metadata: { resourceVersion: String(reads++) } }),
    replace: () => Promise.reject(new ApiError(409, "modified")),
  };
  await expect(run(object, { snapshot: snapshotOf(1), key, lifeSeconds })).rejects.toThrow(
    "modified",
  );
  expect(reads).toBe(5);
});
