// Images of the services, made from package registries and kept by version.
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheDir } from "../paths.ts";
import type { Report } from "../report.ts";
import { ensureProgram, moduleSource, programDirectory } from "../tools/gobuild.ts";
import { services } from "../tools/programs.ts";
import { ensureStored, keyOf } from "../tools/store.ts";
import { writeArchive, type ImageDefaults } from "./archive.ts";
import {
  imageNames,
  imagePrograms,
  nodeImage,
  nodeProgram,
  programImage,
  rootCertificates,
  servicesImage,
  type ImageName,
} from "./contents.ts";
import { writeLayer, type LayerEntry } from "./layer.ts";
import { ensureRootfs, rootfs, rootfsDirectory } from "./rootfs.ts";

export { imageNames, type ImageName } from "./contents.ts";

const registry = "localhost";

/** An image in a file, ready for `ctr --namespace k8s.io images import`. */
export interface LocalImage {
  name: ImageName;
  registry: "localhost";
  /** Without the registry, e.g. "anchorhold/fulcio". */
  repository: string;
  /** The content's hash in hex; also the tag. */
  version: string;
  /** e.g. "localhost/anchorhold/fulcio:<version>". */
  reference: string;
  /** Absolute path of the docker-archive tar file. */
  archive: string;
}

interface Recipe {
  /** Changes with all that goes into the image. */
  key: string;
  /** Makes what the image consists of; may take minutes. */
  parts: () => Promise<{ below: string[]; entries: LayerEntry[]; defaults: ImageDefaults }>;
}

/** Raised when the way in which images are put together changes. */
const format = 1;

function programRecipe(name: keyof typeof imagePrograms, report: Report): Recipe {
  const program = imagePrograms[name];
  const roots = name === "pause" ? undefined : rootCertificates();
  const { entries, defaults } = programImage(program, programDirectory(program), roots);
  return {
    key: keyOf(format, entries, defaults),
    parts: async () => {
      const binary = await ensureProgram(program, report);
      return { below: [], ...programImage(program, binary, roots) };
    },
  };
}

function servicesRecipe(report: Report): Recipe {
  const trillian = services["trillian-log-server"];
  const { entries, defaults } = servicesImage(`${trillian.module} ${trillian.version}`);
  return {
    key: keyOf(format, rootfsDirectory(rootfs.services), entries, defaults),
    parts: async () => {
      const [below, source] = await Promise.all([
        ensureRootfs(rootfs.services, report),
        moduleSource(trillian, cacheDir),
      ]);
      const schema = await readFile(join(source, "storage/mysql/schema/storage.sql"), "utf8");
      return { below: [below], ...servicesImage(schema) };
    },
  };
}

function nodeRecipe(report: Report): Recipe {
  const { version, binary } = nodeProgram();
  const { entries, defaults } = nodeImage(version);
  return {
    key: keyOf(format, rootfsDirectory(rootfs.node), entries, defaults, process.arch),
    parts: async () => ({
      below: [await ensureRootfs(rootfs.node, report)],
      ...nodeImage(binary),
    }),
  };
}

function recipeOf(name: ImageName, report: Report): Recipe {
  if (name === "services") return servicesRecipe(report);
  return name === "node" ? nodeRecipe(report) : programRecipe(name, report);
}

async function ensureImage(name: ImageName, report: Report): Promise<LocalImage> {
  const repository = `anchorhold/${name}`;
  const recipe = recipeOf(name, report);
  const directory = join(cacheDir, "images", name, recipe.key);
  await ensureStored(
    directory,
    `The image ${name}`,
    async (draft) => {
      const { below, entries, defaults } = await recipe.parts();
      const layer = join(draft, "layer.tar");
      await writeLayer(layer, entries);
      const file = join(draft, "image.tar");
      const layers = [...below, layer];
      const version = await writeArchive(file, `${registry}/${repository}`, defaults, layers);
      await rm(layer);
      await writeFile(join(draft, "version"), version);
      report(`image ${name}: ready (${version.slice(0, 12)})`);
    },
    report,
  );
  const version = await readFile(join(directory, "version"), "utf8");
  const reference = `${registry}/${repository}:${version}`;
  return {
    name,
    registry,
    repository,
    version,
    reference,
    archive: join(directory, "image.tar"),
  };
}

/**
 * Makes sure that images are in the cache; those that are missing are made side by side.
 * @throws LocalError naming the image or its program, the cause and the remedy
 */
export async function ensureImages(
  report: Report,
  names: readonly ImageName[] = imageNames,
): Promise<Record<ImageName, LocalImage>> {
  const wanted = imageNames.filter((name) => names.includes(name));
  const images = await Promise.all(wanted.map((name) => ensureImage(name, report)));
  return Object.fromEntries(images.map((image) => [image.name, image])) as Record<
    ImageName,
    LocalImage
  >;
}
