import { readdirSync, readFileSync } from "node:fs";

const project = new URL("../../", import.meta.url);

/** Commands that a document shows, to be typed as they stand. */
export interface CommandBlock {
  /** From the project's folder. */
  file: string;
  text: string;
}

/** The documents, from the project's folder. */
export function documents(): string[] {
  const pages = readdirSync(new URL("docs/", project)).filter((name) => name.endsWith(".md"));
  return ["README.md", "CONTRIBUTING.md", ...pages.map((name) => `docs/${name}`)];
}

/** Every block of commands in the documents, fenced as `sh`. */
export function commandBlocks(): CommandBlock[] {
  return documents().flatMap((file) =>
    [...page(file).matchAll(/^```sh\n([^]*?)^```/gm)].map(([, text = ""]) => ({ file, text })),
  );
}

/** The text of a document, its lines joined. */
export const proseOf = (file: string): string => page(file).replace(/\s+/g, " ");

export const page = (file: string): string => readFileSync(new URL(file, project), "utf8");

/** What becomes of a block in the tests. */
export interface Fate {
  file: string;
  /** How it begins. */
  begins: string;
  /** The test that runs it as it stands. */
  run?: "test/cluster/docs.test.ts";
  /** The tests that run the same commands otherwise, because they take long or end the stack. */
  elsewhere?: readonly string[];
  /** Words of the document that say why no test runs it. */
  why?: string;
}

const run = "test/cluster/docs.test.ts";

/** Every block of every document. */
export const fates: readonly Fate[] = [
  { file: "README.md", begins: "npm start   #", elsewhere: [".ci/run"] },
  {
    file: "README.md",
    begins: "npm start -- --context",
    elsewhere: [
      "test/cluster/refusals.test.ts",
      "test/cluster/verify.test.ts",
      "test/cluster/rotation.test.ts",
      "test/cluster/restore.test.ts",
    ],
  },
  { file: "README.md", begins: "npm ci", why: "no test runs them" },
  { file: "README.md", begins: "sha256=", run },
  { file: "docs/admission.md", begins: "npm run --silent anchorhold -- admission", run },
  {
    file: "docs/admission.md",
    begins: "kubectl apply --server-side",
    elsewhere: ["test/cluster/admission.test.ts"],
  },
  { file: "docs/backup.md", begins: "export", elsewhere: ["test/cluster/restore.test.ts"] },
  { file: "docs/databases.md", begins: "pulumi config set", why: "so no test runs it" },
  { file: "docs/doctor.md", begins: "anchorhold doctor", run },
  { file: "docs/environments.md", begins: "pulumi login", why: "No test runs this block" },
  { file: "docs/images.md", begins: "anchorhold images", why: "No test runs this block" },
  { file: "docs/images.md", begins: "for space in", run },
  {
    file: "docs/migration.md",
    begins: "curl --fail",
    elsewhere: ["test/cluster/migration.test.ts"],
  },
  {
    file: "docs/migration.md",
    begins: "cosign verify-blob old.txt",
    elsewhere: ["test/cluster/migration.test.ts"],
  },
  { file: "docs/policies.md", begins: "pulumi preview", run },
  { file: "docs/rbac.md", begins: "npm run --silent anchorhold -- rbac", run },
  {
    file: "docs/recover.md",
    begins: "anchorhold recover",
    elsewhere: ["test/engine/recover.test.ts", "test/cluster/killed.test.ts"],
  },
  {
    file: "docs/rotation.md",
    begins: "anchorhold rotate fulcioCa  ",
    elsewhere: ["test/engine/rotate.test.ts", "test/cluster/rotation.test.ts"],
  },
  {
    file: "docs/rotation.md",
    begins: "anchorhold rotate fulcioCa --back",
    elsewhere: ["test/engine/rotate.test.ts", "test/unit/cli/rotate/nextStep.test.ts"],
  },
  {
    file: "docs/rotation.md",
    begins: "anchorhold rotate fulcioCa --distrust",
    elsewhere: ["test/cluster/distrusted.test.ts", "test/unit/cli/rotate/nextStep.test.ts"],
  },
  ...["client=", "gitlab=", "cosign verify"].map((begins) => ({
    ...{ file: "docs/signing.md", begins, elsewhere: ["test/cluster/identities.test.ts"] },
  })),
  { file: "docs/upgrade.md", begins: "pulumi preview", why: "`review` is not there" },
];

/** The blocks that `test/cluster/docs.test.ts` runs. */
export const runnable = (): CommandBlock[] =>
  commandBlocks().filter((block) => fates.some((fate) => fate.run && isOf(fate, block)));

export const isOf = ({ file, begins }: Fate, block: CommandBlock): boolean =>
  block.file === file && block.text.startsWith(begins);
