import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A signed blob as two files, the way that every client reads it. */
export interface SignedFile {
  blob: string;
  bundle: string;
}

export interface SignedBlob {
  blob: Buffer;
  bundle: string;
}

/** How many bundles of each signer stay on disk, and from how many of them verifiers choose. */
const kept = 20;
const recent = 4;

/** Bundles that signers leave and verifiers take, across threads and processes: a folder. */
export class BundleFolder {
  private readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  /** Leaves a bundle and drops this signer's oldest; a verifier sees it whole or not at all. */
  put(signer: string, number: number, { blob, bundle }: SignedBlob): void {
    const files = this.files(signer, number);
    writeFileSync(files.blob, blob);
    writeFileSync(`${files.bundle}.part`, bundle);
    renameSync(`${files.bundle}.part`, files.bundle);
    const { blob: oldBlob, bundle: oldBundle } = this.files(signer, number - kept);
    for (const path of [oldBundle, oldBlob]) rmSync(path, { force: true });
  }

  /**
   * One at random: of the newest of each signer, or of all.
   * @returns undefined while there is none
   */
  pick(from: "recent" | "all"): SignedFile | undefined {
    const newest = new Map<string, number[]>();
    for (const name of readdirSync(this.folder)) {
      const [, signer, number] = /^(.+)-(\d+)\.json$/.exec(name) ?? [];
      if (signer !== undefined)
        newest.set(
          signer,
          [...(newest.get(signer) ?? []), Number(number)].sort((a, b) => b - a),
        );
    }
    const candidates = [...newest].flatMap(([signer, numbers]) =>
      numbers.slice(0, from === "recent" ? recent : undefined).map((n) => this.files(signer, n)),
    );
    return candidates[Math.floor(Math.random() * candidates.length)];
  }

  private files(signer: string, number: number): SignedFile {
    const base = join(this.folder, `${signer}-${number}`);
    return { blob: `${base}.blob`, bundle: `${base}.json` };
  }
}

export const readSigned = ({ blob, bundle }: SignedFile): SignedBlob => ({
  blob: readFileSync(blob),
  bundle: readFileSync(bundle, "utf8"),
});
