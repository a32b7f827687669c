import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { commentBody, marker, shortened } from "../../../cli/comment/body.ts";
import { commentPreview } from "../../../cli/comment/command.ts";
import { firstSecret, ownSecrets } from "../../../cli/comment/secrets.ts";
import { CannotRun } from "../../../cli/errors.ts";
import { GitLabNotes } from "../../support/gitlabNotes.ts";

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "anchorhold-comment-"));
  file = join(folder, "preview.txt");
});
afterAll(() => rmSync(folder, { recursive: true }));

const preview = [
  "Previewing update (review):",
  "  ~ kubernetes:helm.sh/v3:Release: (update)",
  "      ~ values: { token: [secret] }",
  "Resources:",
  "    ~ 1 to update",
  "    82 unchanged",
  "",
].join("\n");

describe("the comment", () => {
  test("says what was previewed, the sum of its changes, and the text, folded", () => {
    const body = commentBody({
      stack: "review",
      text: preview,
      exitCode: 0,
      jobUrl: "https://j/1",
    });
    expect(body.startsWith(`${marker("review")}\n\n### Preview of \`review\`\n`)).toBe(true);
    expect(body).toContain("```text\n    ~ 1 to update\n    82 unchanged\n```\n\n<details>");
    expect(body).toContain(preview.trimEnd());
    expect(body).toContain("[the job](https://j/1)");
  });

  test("says how a refused one ended, and shows it open", () => {
    const body = commentBody({ stack: "review", text: "error: no", exitCode: 255 });
    expect(body).toContain("refused or failed, exit code 255");
    expect(body).toContain("<details open>");
  });

  test("no line of the text ends its code block", () => {
    const body = commentBody({ stack: "review", text: "a\n````\n/close\n@all", exitCode: 0 });
    expect(body).toContain("\n`````text\na\n````\n/close\n@all\n`````\n");
  });

  test("of a long text it has whole lines of both ends, and counts what is between", () => {
    const lines = Array.from({ length: 5000 }, (_, number) => `line ${number} of the preview`);
    const body = commentBody({ stack: "review", text: lines.join("\n"), exitCode: 0 });
    expect(body.length).toBeLessThan(61_000);
    expect(body).toContain("\nline 0 of the preview\n");
    expect(body).toContain("\nline 4999 of the preview\n");
    const [, count] = /\n\[… (\d+) lines are left out …\]\n/.exec(body)!;
    expect(body.match(/^line \d+ of the preview$/gm)).toHaveLength(5000 - Number(count));
  });

  test("never more than its room and one line, whatever the text", () => {
    const texts = fc.array(fc.string({ maxLength: 400 }), { maxLength: 60 });
    fc.assert(
      fc.property(texts, fc.integer({ min: 20, max: 2000 }), (lines, room) => {
        const text = lines.join("\n");
        const short = shortened(text, room);
        if (text.length <= room) expect(short).toBe(text);
        else expect(short.length).toBeLessThanOrEqual(room + 50);
      }),
    );
  });
});

describe("secrets", () => {
  const jwt = ["eyJhbGciOiJub25l", "eyJpc3MiOiJ4In0abc", "c2lnbmF0dXJl"].join(".");
  test.each([
    ["-----BEGIN EC PRIVATE KEY-----", "a private key"],
    [`token: ${jwt}`, "a token (JWT)"],
    [`glpat-${"x".repeat(20)}`, "a GitLab token"],
    ["mysql://root:hunter2@db:3306/x", "a URL with a password"],
  ])("%s is %s", (line, what) => {
    expect(firstSecret(`fine\n${line}\nfine`, [])).toEqual({ line: 2, what });
  });

  test("a preview as it is holds none", () => {
    expect(firstSecret(preview, ownSecrets({ A_TOKEN: "[secret" }))).toBeUndefined();
  });

  test("the job's own are those of its variables, and of the files that they name", () => {
    const passphrase = join(folder, "passphrase");
    writeFileSync(passphrase, "correct horse battery\n");
    const own = ownSecrets({
      PULUMI_CONFIG_PASSPHRASE_FILE: passphrase,
      ANCHORHOLD_COMMENT_TOKEN: "0123456789",
      GONE_TOKEN_FILE: join(folder, "gone"),
      SHORT_TOKEN: "1",
      CI_JOB_NAME: "preview:review",
      // In the names of the runner's folders, so in what a job prints: GitLab shows it to everybody.
      CI_RUNNER_SHORT_TOKEN: "a1B2c3D4e",
    });
    expect(own.map(({ name }) => name)).toEqual([
      "PULUMI_CONFIG_PASSPHRASE_FILE",
      "ANCHORHOLD_COMMENT_TOKEN",
    ]);
    expect(firstSecret("x\nsays correct horse battery here", own)).toEqual({
      line: 2,
      what: "the value of PULUMI_CONFIG_PASSPHRASE_FILE",
    });
  });
});

describe("anchorhold preview-comment", () => {
  let gitlab: GitLabNotes;
  let shown: string[];
  let env: NodeJS.ProcessEnv;
  beforeEach(async () => {
    gitlab = await new GitLabNotes().open();
    shown = [];
    env = { ...gitlab.variables, CI_MERGE_REQUEST_IID: "7" };
    writeFileSync(file, preview);
  });
  afterEach(() => gitlab.close());
  const comment = (exitCode = 0) =>
    commentPreview(file, { stack: "review", exitCode }, env, (text) => shown.push(text));

  test("shows the preview and comments; the next one takes its place", async () => {
    await comment();
    expect(shown.join("\n")).toContain("~ 1 to update");
    writeFileSync(file, preview.replace("1 to update", "2 to update"));
    await comment(1);
    expect(gitlab.notes).toHaveLength(1);
    expect(gitlab.notes[0]!.body).toContain("~ 2 to update");
    expect(gitlab.notes[0]!.body).toContain("exit code 1");
  });

  test("finds its note among many, and leaves somebody else's alone", async () => {
    const body = `${marker("review")} of mine`;
    gitlab.notes.push({ id: 1, body, author: { id: 2 } });
    for (let id = 2; id <= 150; id += 1)
      gitlab.notes.push({ id, body: "+1", author: { id: id % 3 } });
    gitlab.notes.push({ id: 151, body: marker("review"), author: { id: 1 } });
    await comment();
    expect(gitlab.notes).toHaveLength(151);
    expect(gitlab.notes[0]!.body).toBe(body);
    expect(gitlab.notes[150]!.body).toContain("~ 1 to update");
  });

  test("a text with a secret is shown nowhere, and the secret not in the error", async () => {
    writeFileSync(file, `${preview}\nglpat-test and mysql://root:hunter2@db\n`);
    const refused = await comment().catch((error: unknown) => error as Error);
    expect(refused).toBeInstanceOf(CannotRun);
    expect((refused as Error).message).toMatch(
      /preview.txt, line 8, holds .*: nothing of it is shown/,
    );
    expect((refused as Error).message).not.toMatch(/hunter2|glpat/);
    expect([shown, gitlab.notes]).toEqual([[], []]);
  });

  test("outside of a merge request, and without a token, it shows and says so", async () => {
    delete env["CI_MERGE_REQUEST_IID"];
    await comment();
    expect(shown.at(-1)).toContain("No comment: this is no merge request's pipeline");
    env = { ...env, CI_MERGE_REQUEST_IID: "7", ANCHORHOLD_COMMENT_TOKEN: "" };
    await comment();
    expect(shown.at(-1)).toContain("ANCHORHOLD_COMMENT_TOKEN is not set (docs/gitlab.md)");
    expect(gitlab.notes).toEqual([]);
  });

  test("what GitLab refuses is an error that names the token, not its value", async () => {
    gitlab.status = 403;
    const refused = await comment().catch((error: unknown) => error as Error);
    expect((refused as Error).message).toMatch(
      /^GitLab, GET \/user: HTTP 403\. ANCHORHOLD_COMMENT/,
    );
    expect((refused as Error).message).not.toContain("glpat-test");
  });

  test("a file that is not there is an error", async () => {
    file = join(folder, "none.txt");
    await expect(comment()).rejects.toThrow(/none.txt: ENOENT/);
    file = join(folder, "preview.txt");
  });
});
