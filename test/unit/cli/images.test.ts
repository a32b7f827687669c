import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import * as YAML from "yaml";
import { copyCommand } from "../../../cli/images/copy.ts";
import { images, type ImagesOptions } from "../../../cli/images/command.ts";
import type { ImageRow } from "../../../cli/images/rows.ts";
import { hosts } from "../../support/tlsSecret.ts";
import { imageReference, publishedImages, selectImages } from "../../../infra/scaffold/images.ts";

const mirror = "registry.example.com:5000/sigstore";
const digest = `sha256:${"0a".repeat(32)}`;
const own = { fulcioServer: `registry.example.org/our/fulcio@${digest}` };
const projectRoot = new URL("../../../", import.meta.url);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "anchorhold-images-"));
  vi.stubEnv("PULUMI_STACK", "");
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** The shipped local stack's file with these values. */
function stackFile(values: Record<string, unknown>): string {
  const shipped = readFileSync(new URL("stacks/Pulumi.local.yaml", projectRoot), "utf8");
  const { config } = YAML.parse(shipped) as { config: Record<string, unknown> };
  const changed = Object.entries(values).map(([key, value]): [string, unknown] => [
    `anchorhold:${key}`,
    value,
  ]);
  const file = join(folder, "Pulumi.test.yaml");
  writeFileSync(file, YAML.stringify({ config: { ...config, ...Object.fromEntries(changed) } }));
  return file;
}

/** What the command prints. */
async function printed(options: Partial<ImagesOptions> = {}): Promise<string> {
  const lines: string[] = [];
  await images({ json: false, ...options }, (text) => lines.push(text));
  return lines.join("\n");
}
const rows = async (options: Partial<ImagesOptions>) =>
  JSON.parse(await printed({ ...options, json: true })) as ImageRow[];
/** The last word of each copy command: where the copy goes. */
const targets = (commands: string) => commands.split("\n").map((line) => line.split(" ").at(-1));

describe("anchorhold images", () => {
  test("shows where nginx runs besides, and copies it once, where a Route re-encrypts", async () => {
    const route = { type: "route", termination: "reencrypt", hosts };
    const file = stackFile({ platform: "openshift", exposure: route });
    const nginx = (await printed({ file })).split("\n").filter((line) => / nginx /.test(line));
    expect(nginx.map((line) => line.split(/ +/)[2])).toEqual([
      "deployment/tuf-*",
      "deployment/ctlog",
      "deployment/tsa-server",
      "deployment/fulcio-server",
      "deployment/rekor-*-server",
    ]);
    const copies = (await printed({ file, mirror })).split("\n");
    expect(copies.filter((line) => line.includes("nginx"))).toHaveLength(1);
    const edge = stackFile({ platform: "openshift", exposure: { ...route, termination: "edge" } });
    expect(JSON.stringify(await rows({ file: edge }))).not.toContain("alsoIn");
  });

  test("without a stack has every published image by digest, and docs/images.md has that table", async () => {
    const table = await printed();
    for (const image of Object.values(publishedImages))
      expect(table).toContain(imageReference(image));
    const page = readFileSync(new URL("docs/images.md", projectRoot), "utf8");
    const block = /(<!-- anchorhold images -->\n\n```text\n)[^`]*(```)/;
    expect(page).toMatch(block);
    const recorded = page.replace(block, (_all, before, after) => `${before}${table}\n${after}`);
    await expect(recorded).toMatchFileSnapshot("../../../docs/images.md");
  });

  test("of a stack are what its program runs, with the mirror and its own in place", async () => {
    const found = await rows({ file: stackFile({ mirror, images: own }) });
    const expected = Object.entries(selectImages(own, mirror)).map(([name, image]) => ({
      name,
      image: imageReference(image),
      fromMirror: name !== "fulcioServer",
    }));
    expect(found).toMatchObject(expected);
    expect(found.filter(({ fromMirror }) => fromMirror)).toHaveLength(found.length - 1);
  });

  test.each([
    [
      { mirror: "https://registry.example.com" } as const,
      "--mirror https://registry.example.com: must",
    ],
    [{ mirror: true } as const, "There is no mirror: name one"],
    [{ mirror, tool: "docker" }, "--tool docker: known are crane, skopeo."],
    [{ tool: "skopeo" }, "give --mirror as well"],
    [{ mirror, json: true }, "give one of them"],
    [{ file: "no/such/file.yaml" }, "Name the stack's file with --file"],
  ])("refuses %o", async (options, said) => {
    await expect(printed(options)).rejects.toThrow(said);
  });

  test("of a stack file with a problem names its place", async () => {
    const file = stackFile({ images: { redis: "registry.example.com/redis:7" } });
    await expect(printed({ file })).rejects.toThrow(
      "anchorhold:images.redis: registry.example.com",
    );
  });
});

describe("the copy commands", () => {
  test("are one a line, for every image, to the mirror that is named", async () => {
    const copied = targets(await printed({ mirror }));
    expect(copied).toHaveLength(Object.keys(publishedImages).length);
    const expected = Object.values(selectImages({}, mirror)).map(
      ({ registry, repository }) => `${registry}/${repository}`,
    );
    expect(copied.map((target) => target?.replace(/:[^:]+$/, ""))).toEqual(expected);
    expect(new Set(copied).size).toBe(copied.length);
  });

  test("go to the stack's own mirror, and leave out what it takes from elsewhere", async () => {
    const file = stackFile({ mirror, images: own });
    const commands = await printed({ file, mirror: true });
    expect(commands).not.toContain("sigstore/fulcio");
    expect(targets(commands)).toHaveLength(Object.keys(publishedImages).length - 1);
    expect(commands).toContain(`${mirror}/sigstore/rekor/rekor-server:`);
  });

  test("are none where the stack names every image itself", async () => {
    const all = Object.keys(publishedImages).map((key) => [key, own.fulcioServer]);
    const file = stackFile({ mirror, images: Object.fromEntries(all) as Record<string, string> });
    expect(await printed({ file, mirror: true })).toMatch(/^# Nothing to copy/);
  });

  test("keep every platform and the digest, with either tool", () => {
    const image = { registry: "ghcr.io", repository: "sigstore/fulcio", version: `v1@${digest}` };
    const to = `${mirror}/sigstore/fulcio:v1-0a0a0a0a0a0a`;
    expect(copyCommand(image, mirror, "crane")).toBe(
      `crane copy ghcr.io/sigstore/fulcio@${digest} ${to}`,
    );
    expect(copyCommand(image, mirror, "skopeo")).toBe(
      `skopeo copy --all --preserve-digests docker://ghcr.io/sigstore/fulcio@${digest} docker://${to}`,
    );
  });
});
