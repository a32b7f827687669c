import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { extract, type Header } from "tar-stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { contentVersion, imageConfig, writeArchive } from "../../../local/images/archive.ts";
import {
  imagePrograms,
  nodeImage,
  nodeProgram,
  programImage,
  servicesImage,
} from "../../../local/images/contents.ts";
import { imageNames } from "../../../local/images/index.ts";
import {
  completeEntries,
  hashFile,
  writeLayer,
  type LayerEntry,
} from "../../../local/images/layer.ts";

const run = promisify(execFile);
let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "images-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const at = (name: string) => join(directory, name);
const sha256 = (data: Buffer | string) => createHash("sha256").update(data).digest("hex");

async function readTar(file: string): Promise<{ header: Header; body: Buffer }[]> {
  const entries: { header: Header; body: Buffer }[] = [];
  for await (const entry of createReadStream(file).pipe(extract())) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    entries.push({ header: entry.header, body: Buffer.concat(chunks) });
  }
  return entries;
}

describe("a layer", () => {
  test("has every directory once, before what is in it", () => {
    const entries = completeEntries([
      { path: "/usr/local/bin/b", content: { text: "" } },
      { path: "/tmp", mode: 0o1777, content: "directory" },
      { path: "/usr/local/bin/a", content: { text: "" } },
    ]);
    const paths = entries.map(({ path }) => path);
    expect(paths).toEqual([
      "/tmp",
      "/usr",
      "/usr/local",
      "/usr/local/bin",
      "/usr/local/bin/a",
      "/usr/local/bin/b",
    ]);
    expect(entries[0]?.mode).toBe(0o1777);
  });

  test("has the same bytes whenever and in whatever order it is made", async () => {
    await writeFile(at("source"), "binary");
    const entries: LayerEntry[] = [
      { path: "/bin/tool", mode: 0o755, content: { file: at("source") } },
      { path: "/etc/text", content: { text: "words" } },
      { path: "/etc/link", content: { link: "text" } },
    ];
    await writeLayer(at("one.tar"), entries);
    await utimes(at("source"), 1e9, 1e9);
    await writeLayer(at("two.tar"), entries.toReversed());
    expect(await hashFile(at("one.tar"))).toBe(await hashFile(at("two.tar")));
    const [, tool, , link, text] = await readTar(at("one.tar"));
    expect(tool?.header).toMatchObject({ name: "bin/tool", mode: 0o755, uid: 0, gid: 0 });
    expect(tool?.body.toString()).toBe("binary");
    expect(link?.header).toMatchObject({ type: "symlink", linkname: "text" });
    expect(text?.body.toString()).toBe("words");
    expect(text?.header.mtime).toEqual(new Date(0));
  });

  test("can be read by tar(1)", async () => {
    await writeLayer(at("layer.tar"), [{ path: "/a/b", content: { text: "c" } }]);
    const { stdout } = await run("tar", ["-tf", at("layer.tar")]);
    expect(stdout.split("\n")).toEqual(["a", "a/b", ""]);
  });

  test("fails when a file is missing or the disk is full", async () => {
    const missing: LayerEntry[] = [{ path: "/a", content: { file: at("none") } }];
    await expect(writeLayer(at("layer.tar"), missing)).rejects.toThrow("ENOENT");
    const big: LayerEntry[] = [{ path: "/a", content: { text: "x".repeat(1e6) } }];
    await expect(writeLayer("/dev/full", big)).rejects.toThrow("ENOSPC");
  });
});

describe("an archive", () => {
  const defaults = { entrypoint: ["/bin/tool"], user: "65533:65533" };

  async function archive(text: string): Promise<string> {
    await writeLayer(at("low.tar"), [{ path: "/low", content: { text: "base" } }]);
    await writeLayer(at("high.tar"), [{ path: "/high", content: { text } }]);
    const layers = [at("low.tar"), at("high.tar")];
    return writeArchive(at("image.tar"), "localhost/anchorhold/tool", defaults, layers);
  }

  test("names its configuration and layers, whose hashes are true", async () => {
    const version = await archive("one");
    const entries = new Map((await readTar(at("image.tar"))).map((e) => [e.header.name, e.body]));
    const [manifest] = JSON.parse(entries.get("manifest.json")!.toString()) as [
      { Config: string; RepoTags: string[]; Layers: string[] },
    ];
    expect(manifest.RepoTags).toEqual([`localhost/anchorhold/tool:${version}`]);
    const config = entries.get(manifest.Config)!;
    expect(manifest.Config).toBe(`${sha256(config)}.json`);
    const { rootfs } = JSON.parse(config.toString()) as { rootfs: { diff_ids: string[] } };
    const layers = manifest.Layers.map((name) => entries.get(name)!);
    expect(rootfs.diff_ids).toEqual(layers.map((layer) => `sha256:${sha256(layer)}`));
    expect(layers[1]!.toString()).toContain("one");
  });

  test("its version is its content's hash, a valid tag and a valid label value", async () => {
    const one = await archive("one");
    const first = await hashFile(at("image.tar"));
    expect(await archive("one")).toBe(one);
    expect(await hashFile(at("image.tar"))).toBe(first);
    expect(await archive("two")).not.toBe(one);
    expect(one).toMatch(/^[0-9a-f]{32}$/);
  });

  test("its configuration carries start, user and architecture", () => {
    const config = imageConfig(defaults, ["aa"], "x64");
    expect(JSON.parse(config)).toMatchObject({
      architecture: "amd64",
      os: "linux",
      config: { Entrypoint: ["/bin/tool"], User: "65533:65533" },
      rootfs: { type: "layers", diff_ids: ["sha256:aa"] },
    });
    expect(contentVersion(config)).not.toBe(contentVersion(imageConfig(defaults, ["aa"], "arm64")));
  });
});

describe("images", () => {
  test("each program has one", () => {
    expect([...imageNames].sort()).toEqual(
      [
        "coredns",
        "ct-server",
        "fulcio",
        "node",
        "pause",
        "rekor",
        "services",
        "timestamp-server",
        "trillian-log-server",
        "trillian-log-signer",
      ].sort(),
    );
  });

  test("a program's image starts it as a user without rights, with the machine's roots", () => {
    const { entries, defaults } = programImage(imagePrograms.fulcio, "/x/fulcio", "ROOTS");
    expect(defaults).toEqual({ entrypoint: ["/usr/local/bin/fulcio"], user: "65533:65533" });
    expect(entries).toContainEqual({
      path: "/usr/local/bin/fulcio",
      mode: 0o755,
      content: { file: "/x/fulcio" },
    });
    expect(entries).toContainEqual({
      path: "/etc/ssl/certs/ca-certificates.crt",
      content: { text: "ROOTS" },
    });
    const without = programImage(imagePrograms.pause, "/x/pause", undefined);
    expect(without.entries.map(({ path }) => path)).toEqual(["/usr/local/bin/pause", "/tmp"]);
  });

  test("Node.js is the one that npm installed, without rights", () => {
    const { version, binary } = nodeProgram();
    const { entries, defaults } = nodeImage(binary);
    expect(entries).toEqual([
      { path: "/usr/local/bin/node", mode: 0o755, content: { file: binary } },
    ]);
    expect(defaults).toEqual({ entrypoint: ["/usr/local/bin/node"], user: "65533:65533" });
    expect(execFileSync(binary, ["--version"], { encoding: "utf8" })).toBe(`v${version}\n`);
  });

  test("the scripts of the services image are valid for sh", async () => {
    const { entries } = servicesImage("CREATE TABLE x;");
    const scripts = entries.filter(({ mode }) => mode === 0o755);
    expect(scripts).toHaveLength(3);
    for (const { content } of scripts) {
      if (content === "directory" || !("text" in content)) throw new Error("not a script");
      expect(content.text).toMatch(/^#!\/bin\/sh\n/);
      await writeFile(at("script"), content.text);
      await run("sh", ["-n", at("script")]);
    }
  });

  test("Trillian's schema is in the services image", () => {
    const schema = servicesImage("CREATE TABLE x;").entries.find(({ path }) =>
      path.endsWith("storage.sql"),
    );
    expect(schema?.content).toEqual({ text: "CREATE TABLE x;" });
  });

  test("database passwords are in no command line and not in the server's environment", async () => {
    const { entries } = servicesImage("");
    const script = entries.find(({ path }) => path.endsWith("database-entrypoint"));
    if (!script || script.content === "directory" || !("text" in script.content)) {
      throw new Error("no script");
    }
    // Stand-ins for MariaDB's programs: they show what they were given.
    for (const name of ["mariadb-install-db", "mariadbd"]) {
      const shown = `#!/bin/sh\necho "${name} $*" >&2; env >&2\n`;
      const stdin = `case "$*" in *--bootstrap*) cat >"${at("sql")}" ;; esac\n`;
      await writeFile(at(name), shown + stdin, { mode: 0o755 });
    }
    await writeFile(at("schema"), "CREATE TABLE x;");
    const text = script.content.text
      .replaceAll("/var/lib/mysql", at("volume"))
      .replaceAll("/usr/share/trillian/storage.sql", at("schema"))
      .replace('[ "$(id -u)" = 0 ]', "false");
    await writeFile(at("entrypoint"), text, { mode: 0o755 });
    await run("mkdir", [at("volume")]);
    const { stderr } = await run(at("entrypoint"), ["--port=1"], {
      env: {
        PATH: `${directory}:${process.env["PATH"]}`,
        MYSQL_ROOT_PASSWORD: "roo't\\",
        MYSQL_USER: "user",
        MYSQL_PASSWORD: "secret",
        MYSQL_DATABASE: "trillian",
      },
    });
    const server = stderr.slice(stderr.lastIndexOf("mariadbd --no-defaults"));
    expect(server).toContain("--port=1");
    expect(server).not.toContain("secret");
    expect(server).not.toContain("roo't");
    const commands = stderr.split("\n").filter((line) => line.startsWith("mariadb"));
    expect(commands).toHaveLength(3);
    expect(commands.join("\n")).not.toMatch(/secret|roo'/);
    const { stdout: sql } = await run("cat", [at("sql")]);
    expect(sql).toContain("ALTER USER 'root'@'localhost' IDENTIFIED BY 'roo''t\\\\';");
    expect(sql.trimEnd().endsWith("CREATE TABLE x;")).toBe(true);
  });
});
