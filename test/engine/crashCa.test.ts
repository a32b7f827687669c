import { crashTests } from "./support/crashTests.ts";
import type { Moment } from "./support/moments.ts";
import { step } from "./support/subjects.ts";

const pick = (patterns: readonly RegExp[]) => (all: Moment[]) =>
  patterns.map((pattern) => {
    const found = all.filter((moment) => pattern.test(moment));
    if (found.length === 1) return found[0]!;
    throw new Error(`${found.length} moments are like ${pattern.source}: ${all.join(", ")}`);
  });

/** A few moments of the two steps that change who may issue; all are in test/crash. */
await crashTests(step("fulcioCa", "announce"), {
  workers: 1,
  choose: pick([
    // A key that the program does not know of yet, and then a record that its outputs lack.
    /^done create tls:index\/privateKey:PrivateKey::fulcio-ca-2-key$/,
    /^recorded pulumi:index:Stash::fulcio-ca-2-public$/,
    // Accepted, not published; signed, not served.
    /^helm .*\.ctlog\./,
    /^recorded pulumi:index:Stash::tuf-publication-2$/,
    // A second mirror that the state does not know, with the label of the one that will be made.
    /^done create kubernetes:apps\/v1:Deployment::tuf-mirror-revision-server$/,
    // Served, and nobody has written it down.
    /^done update command:local:Command::trusted-gate-observe$/,
  ]),
});

await crashTests(step("fulcioCa", "activate"), {
  workers: 1,
  choose: pick([
    /^helm .*\.fulcio\./,
    // Fulcio uses the new CA, and nobody has written it down.
    /^done update kubernetes:helm.sh\/v3:Release::fulcio-release$/,
    /^recorded pulumi:index:Stash::fulcio-ca-switch-2$/,
  ]),
});
