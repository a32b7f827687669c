// Why a command failed, in words that a person can act on. Pure.
import { cacheDir } from "../paths.ts";

interface Cause {
  pattern: RegExp;
  says: string;
}

// The most telling cause first: a full disk also breaks downloads.
const causes: readonly Cause[] = [
  {
    pattern: /no space left on device|ENOSPC|disk quota exceeded|EDQUOT/i,
    says: `the disk is full. Free some space ("df -h" shows where; "go clean -cache" and "rm -rf ${cacheDir}" are safe), then run the same command again`,
  },
  {
    pattern:
      /requires go >= ?[\d.]+|go: download go[\d.]+ .*not available|toolchain not available/i,
    says: 'this Go is too old. Install Go 1.26 or newer ("go version" shows yours), then run the same command again',
  },
  {
    pattern:
      /no such host|dial tcp|i\/o timeout|connection (refused|reset)|proxyconnect|TLS handshake|network is unreachable|temporary failure (in name resolution|resolving)|could not resolve|failed to fetch|unable to fetch|EAI_AGAIN/i,
    says: "the package registry does not answer. Check the network and GOPROXY, http_proxy and https_proxy, then run the same command again; what was finished is kept",
  },
  {
    pattern: /could not get lock|dpkg frontend lock/i,
    says: "another package manager is running. Wait for it to end, then run the same command again",
  },
  {
    pattern: /signal: killed|out of memory|cannot allocate memory/i,
    says: "the machine ran out of memory. Free about 3 GiB, then run the same command again",
  },
];

/** The last lines of what a command printed: most tools name the reason there. */
export function lastLines(output: string, count = 4): string {
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  return lines.slice(-count).join("\n  ");
}

/**
 * The cause of a failure and what mends it.
 * @param output everything the command printed on standard error and output
 * @returns a clause without the command's name, ready to follow a colon
 */
export function explainFailure(output: string): string {
  const known = causes.find(({ pattern }) => pattern.test(output));
  if (known === undefined) return lastLines(output) || "it ended without a message";
  const line = output.split("\n").find((candidate) => known.pattern.test(candidate)) ?? "";
  return `${known.says}.\n  ${line.trim()}`;
}
