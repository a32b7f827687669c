import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Cosign } from "./cosign.ts";
import type { Run } from "./process.ts";

/** The page that cosign sends somebody to, in the browser flow and in the device flow. */
const signInPage = /https?:\/\/\S+\/oauth\/(?:authorize|device)\?\S+/;

/** What came of a command, and the page that somebody was sent to; empty if nobody was. */
export interface SignedIn extends Run {
  page: string;
}

/**
 * Runs a command of cosign without a token, as a person who follows the link that cosign opens or
 * shows; the issuer's stand-in goes on as if the person had clicked.
 */
export async function signIn(cosign: Cosign, ...args: string[]): Promise<SignedIn> {
  // cosign believes that xdg-open has opened a browser, and shows the link as well.
  const programs = await mkdtemp(join(tmpdir(), "anchorhold-browser-"));
  await symlink("/bin/true", join(programs, "xdg-open"));
  try {
    return await follow(cosign.begin(args, programs));
  } finally {
    await rm(programs, { recursive: true, force: true });
  }
}

/** Waits for a program's end, a minute at most, and follows the first link to a page of GitLab's. */
export async function follow(child: ChildProcessWithoutNullStreams): Promise<SignedIn> {
  const limit = setTimeout(() => child.kill(), 60_000);
  const seen = { page: "", stdout: "", stderr: "" };
  let browser: Promise<unknown> = Promise.resolve();
  const read = (stream: "stdout" | "stderr") => (text: string) => {
    seen[stream] += text;
    const [page] = signInPage.exec(seen[stream]) ?? [];
    // The whole line is there.
    if (page === undefined || seen.page !== "" || !seen[stream].endsWith("\n")) return;
    seen.page = page;
    // Redirects lead to cosign's own listener; what it shows there is not looked at.
    browser = fetch(page).catch(() => undefined);
  };
  child.stdout.setEncoding("utf8").on("data", read("stdout"));
  child.stderr.setEncoding("utf8").on("data", read("stderr"));
  child.stdin.end();
  const [code] = (await once(child, "close")) as [number | null];
  clearTimeout(limit);
  await browser;
  return { code: code ?? 1, ...seen };
}
