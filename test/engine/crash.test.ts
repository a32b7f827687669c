import { crashTests } from "./support/crashTests.ts";
import type { Moment } from "./support/moments.ts";
import { firstDeployment } from "./support/subjects.ts";

/** One moment for each kind of trouble that a killed update can leave; all are in test/crash. */
const samples = [
  // An object with a fixed name that the state does not know.
  /^done create kubernetes:core\/v1:Namespace::.*-trillian$/,
  // A Secret with a generated name that nobody reads.
  /^done create kubernetes:core\/v1:Secret::rekor/,
  // A tree that is made and not initialised, and one that the state does not know.
  /^trillian CreateTree ctlog-1$/,
  /^done create command:local:Command::rekor/,
  // A release that Helm left pending, and one that the state does not know.
  /^helm .*\.ctlog\./,
  /^done create kubernetes:helm.sh\/v3:Release::fulcio/,
  // TUF metadata that is signed and not served.
  /^recorded pulumi:index:Stash::tuf-publication-1$/,
];

await crashTests(firstDeployment, {
  workers: 1,
  choose: (all) => samples.map((pattern) => one(all, pattern)),
});

function one(all: readonly Moment[], pattern: RegExp): Moment {
  const found = all.filter((moment) => pattern.test(moment));
  if (found.length === 1) return found[0]!;
  throw new Error(`${found.length} moments are like ${pattern.source}`);
}
