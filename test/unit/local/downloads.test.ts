// The downloader against a server of the test's own, with the layout of the real hosts.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { publishedDigest } from "../../../local/downloads/checksums.ts";
import { mirrorOf } from "../../../local/downloads/fetch.ts";
import { ensureRelease, missingRelease, releaseDirectory } from "../../../local/downloads/index.ts";
import {
  kindRelease,
  pluginNames,
  pluginRelease,
  pulumiRelease,
  type Release,
} from "../../../local/downloads/releases.ts";
import { LocalError } from "../../../local/errors.ts";

const silent = () => undefined;
const sha256 = (data: Buffer | string) => createHash("sha256").update(data).digest("hex");

let folder = "";
let server: Server;
/** What it serves by path; `cut` ends the connection half-way. */
let files: Record<string, Buffer | "cut">;
let asked: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "anchorhold-downloads-"));
  files = {};
  asked = [];
  server = createServer(({ url = "" }, response) => {
    asked.push(url);
    const file = files[url];
    if (file === undefined) return response.writeHead(404).end();
    if (file !== "cut") return response.end(file);
    response.writeHead(200, { "content-length": 1_000_000 }).write("half");
    return setTimeout(() => response.destroy(), 50);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  process.env.ANCHORHOLD_DOWNLOADS = `http://127.0.0.1:${port}/mirror/`;
});
afterEach(async () => {
  delete process.env.ANCHORHOLD_DOWNLOADS;
  server.close();
  await rm(folder, { recursive: true });
});

/** An archive as Pulumi's: a folder `pulumi` with programs. */
async function archive(): Promise<Buffer> {
  const content = join(folder, "content", "pulumi");
  await mkdir(content, { recursive: true });
  await writeFile(join(content, "pulumi"), "#!/bin/sh\necho v3\n", { mode: 0o755 });
  return execFileSync("tar", ["-czf", "-", "-C", join(folder, "content"), "pulumi"]);
}

/** Publishes a release on the server. */
function publish({ url, checksums }: Release, data: Buffer, digest = sha256(data)): void {
  const path = (of: string) => `/mirror/${of.replace("https://", "")}`;
  files[path(url)] = data;
  files[path(checksums)] = Buffer.from(`${digest}  ${url.split("/").at(-1)}\n`);
}

const cache = () => join(folder, "cache");
const kept = async (release: Release) => {
  const parent = join(releaseDirectory(release, cache()), "..");
  return existsSync(parent) ? await readdir(parent) : [];
};

describe("a release", () => {
  test("is downloaded from the mirror, checked, unpacked, and kept by version", async () => {
    const release = pulumiRelease();
    publish(release, await archive());
    const path = await ensureRelease(release, silent, cache());
    expect(execFileSync(path, { encoding: "utf8" })).toBe("v3\n");
    expect(path).toContain(join(cache(), "downloads", "pulumi", release.version));
    expect(await readdir(join(path, "../.."))).toEqual(["pulumi"]);
    const before = asked.length;
    expect(before).toBe(2);
    expect(await ensureRelease(release, silent, cache())).toBe(path);
    expect(asked).toHaveLength(before);
  });

  test("that is one program becomes executable", async () => {
    publish(kindRelease(), Buffer.from("#!/bin/sh\necho kind\n"));
    const path = await ensureRelease(kindRelease(), silent, cache());
    expect(execFileSync(path, { encoding: "utf8" })).toBe("kind\n");
  });

  test("a plugin's archive stays as it came, SHA-1 or SHA-256", async () => {
    const data = await archive();
    for (const [name, algorithm] of [
      ["random", "sha1"],
      ["kubernetes", "sha256"],
    ] as const) {
      const release = pluginRelease(name);
      publish(release, data, createHash(algorithm).update(data).digest("hex"));
      expect(await readFile(await ensureRelease(release, silent, cache()))).toEqual(data);
    }
  });
});

describe("nothing stays of", () => {
  const refused = async (release: Release, message: RegExp) => {
    const attempt = ensureRelease(release, silent, cache());
    await expect(attempt).rejects.toThrow(LocalError);
    await expect(attempt).rejects.toThrow(message);
    expect(await kept(release)).toEqual([]);
  };

  test("a file with another digest than published", async () => {
    const data = await archive();
    publish(pulumiRelease(), data, sha256("something else"));
    await refused(
      pulumiRelease(),
      new RegExp(`is not what its release says: its sha256 is ${sha256(data)}, not .* removed`),
    );
  });

  test("a file that comes half", async () => {
    publish(pulumiRelease(), await archive());
    files[`/mirror/${pulumiRelease().url.replace("https://", "")}`] = "cut";
    await refused(pulumiRelease(), /linux-.*tar\.gz did not come whole/);
  });

  test("a file that is not there, though its digest is", async () => {
    publish(pulumiRelease(), await archive());
    delete files[`/mirror/${pulumiRelease().url.replace("https://", "")}`];
    await refused(pulumiRelease(), /did not come whole \(it answers 404\)/);
  });

  test("a release whose list lacks the file", async () => {
    const { checksums } = pulumiRelease();
    files[`/mirror/${checksums.replace("https://", "")}`] = Buffer.from(`${sha256("")}  other\n`);
    await refused(pulumiRelease(), /Downloading pulumi v.*has no line for pulumi-v.*tar\.gz/);
  });

  test("an archive without the program", async () => {
    await archive();
    const other = execFileSync("tar", ["-czf", "-", "-C", folder, "content"]);
    publish(pulumiRelease(), other);
    await refused(pulumiRelease(), /has no pulumi\/pulumi in it/);
  });
});

describe("whether it is there", () => {
  test("is asked of the list of digests alone", async () => {
    publish(kindRelease(), Buffer.from("kind"));
    expect(await missingRelease(kindRelease(), false, cache())).toBeUndefined();
    expect(asked).toEqual([`/mirror/${kindRelease().checksums.replace("https://", "")}`]);
  });

  test("a host without it, one that refuses, and one that is silent say why", async () => {
    expect(await missingRelease(kindRelease(), false, cache())).toMatch(/sha256sum answers 404$/);
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
    const free = (closed.address() as AddressInfo).port;
    await new Promise((resolve) => closed.close(resolve));
    process.env.ANCHORHOLD_DOWNLOADS = `http://127.0.0.1:${free}`;
    expect(await missingRelease(kindRelease(), false, cache())).toBe(
      `127.0.0.1:${free} does not answer (ECONNREFUSED)`,
    );
    const silentServer = createServer(() => undefined);
    await new Promise<void>((resolve) => silentServer.listen(0, "127.0.0.1", resolve));
    const { port } = silentServer.address() as AddressInfo;
    process.env.ANCHORHOLD_DOWNLOADS = `http://127.0.0.1:${port}`;
    const begun = performance.now();
    expect(await missingRelease(kindRelease(), false, cache())).toMatch(
      /does not answer \(no answer in time\)$/,
    );
    expect(performance.now() - begun).toBeLessThan(3_000);
    silentServer.closeAllConnections();
    silentServer.close();
  });
});

describe("lists of digests", () => {
  const hex = "a".repeat(64);
  test.each([
    [`${hex}  file.tar.gz`, "sha256"],
    [`${hex.toUpperCase()} *file.tar.gz\r`, "sha256"],
    [`${"b".repeat(64)}  other\n${"a".repeat(40)}  ./file.tar.gz\n`, "sha1"],
    [`${hex}  file.tar.gz\n${hex}  file.tar.gz`, "sha256"],
  ])("%j has the file's", (list, algorithm) => {
    expect(publishedDigest(list, "file.tar.gz")).toEqual({
      algorithm,
      hex: "a".repeat(algorithm === "sha1" ? 40 : 64),
    });
  });

  test.each([
    ["", "empty"],
    [`${hex}  file.tar.gz.sig`, "another file"],
    [`${hex}  other/file.tar.gz`, "a file elsewhere"],
    [`${"a".repeat(63)}  file.tar.gz`, "no digest"],
    [`${hex}  file.tar.gz\n${"b".repeat(64)}  file.tar.gz`, "two that differ"],
  ])("%j has not: %s", (list) => {
    expect(publishedDigest(list, "file.tar.gz")).toBeUndefined();
  });
});

test("a mirror has each host as a folder", () => {
  const url = "https://get.pulumi.com/releases/sdk/a.tar.gz";
  expect(mirrorOf(url, "")).toBe(url);
  for (const mirror of ["https://mirror.test/raw", "https://mirror.test/raw//"])
    expect(mirrorOf(url, mirror)).toBe(
      "https://mirror.test/raw/get.pulumi.com/releases/sdk/a.tar.gz",
    );
});

test("every release has a version of its own and HTTPS", async () => {
  for (const release of [pulumiRelease(), kindRelease(), ...pluginNames.map(pluginRelease)]) {
    expect(release.version).toMatch(/^v\d+\.\d+\.\d+$/);
    for (const url of [release.url, release.checksums]) {
      expect(url).toMatch(/^https:\/\//);
      expect(url).toContain(release.version.slice(1));
    }
  }
  const lock = JSON.parse(await readFile("package.json", "utf8")) as {
    dependencies: Record<string, string>;
  };
  for (const name of pluginNames)
    expect(pluginRelease(name).version).toBe(`v${lock.dependencies[`@pulumi/${name}`]}`);
});
