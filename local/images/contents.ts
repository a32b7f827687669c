// What is in each image.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { services, type Program } from "../tools/programs.ts";
import type { ImageDefaults } from "./archive.ts";
import type { LayerEntry } from "./layer.ts";

/** An image that can be made here. */
export type ImageName = keyof typeof services | "services" | "pause" | "node";

/** The images that need parts of a Debian below their own files. */
type DebianImage = "services" | "node";

/** The user of images with one static program; the chart's own images use it too. */
const nonroot = "65533:65533";

const pause: Program = {
  name: "pause",
  version: "1",
  source: join(import.meta.dirname, "pause"),
};

/** The program of an image that holds just one. */
export const imagePrograms: Readonly<Record<Exclude<ImageName, DebianImage>, Program>> = {
  ...services,
  pause,
};

/** Every image, the longest build first. */
export const imageNames: readonly ImageName[] = [
  "services",
  "node",
  ...(Object.keys(imagePrograms) as (keyof typeof imagePrograms)[]),
];

const hostRoots = "/etc/ssl/certs/ca-certificates.crt";

/** This machine's certificate authorities: Fulcio asks OIDC issuers through TLS. */
export function rootCertificates(): string | undefined {
  return existsSync(hostRoots) ? readFileSync(hostRoots, "utf8") : undefined;
}

/** The entries of an image with one static program, and how it starts. */
export function programImage(
  program: Program,
  binary: string,
  roots: string | undefined,
): { entries: LayerEntry[]; defaults: ImageDefaults } {
  const path = `/usr/local/bin/${program.name}`;
  const entries: LayerEntry[] = [
    { path, mode: 0o755, content: { file: binary } },
    { path: "/tmp", mode: 0o1777, content: "directory" },
  ];
  if (roots !== undefined) entries.push({ path: hostRoots, content: { text: roots } });
  return { entries, defaults: { entrypoint: [path], user: nonroot } };
}

const script = (name: string): { text: string } => ({
  text: readFileSync(join(import.meta.dirname, "services", name), "utf8"),
});

/**
 * What the image of database, Redis and nginx has above Debian's packages.
 * @param schema the text of Trillian's storage/mysql/schema/storage.sql
 */
export function servicesImage(schema: string): { entries: LayerEntry[]; defaults: ImageDefaults } {
  const bin = "/usr/local/bin";
  return {
    entries: [
      { path: `${bin}/services-entrypoint`, mode: 0o755, content: script("entrypoint.sh") },
      {
        path: `${bin}/database-entrypoint`,
        mode: 0o755,
        content: script("database-entrypoint.sh"),
      },
      { path: "/etc/init.d/mysql", mode: 0o755, content: script("mysql-init.sh") },
      { path: "/usr/share/trillian/storage.sql", content: { text: schema } },
      { path: "/tmp", mode: 0o1777, content: "directory" },
      { path: "/data", mode: 0o1777, content: "directory" },
      // Where nginx writes unless its configuration says otherwise: a user without rights on the
      // folder could not start it.
      { path: "/var/log/nginx/access.log", content: { link: "/dev/null" } },
      { path: "/var/log/nginx/error.log", content: { link: "/dev/stderr" } },
    ],
    // Root like the images it stands in for: the database steps down by itself, and a pod's
    // security context decides for the others.
    defaults: { entrypoint: [`${bin}/services-entrypoint`], user: "0:0" },
  };
}

/** The Node.js that npm installed for this project. */
export function nodeProgram(): { version: string; binary: string } {
  const file = createRequire(import.meta.url).resolve("node/package.json");
  const { version } = JSON.parse(readFileSync(file, "utf8")) as { version: string };
  return { version, binary: join(dirname(file), "bin", "node") };
}

/** What the image of Node.js has above Debian's libraries. */
export function nodeImage(binary: string): { entries: LayerEntry[]; defaults: ImageDefaults } {
  const path = "/usr/local/bin/node";
  return {
    entries: [{ path, mode: 0o755, content: { file: binary } }],
    defaults: { entrypoint: [path], user: nonroot },
  };
}
