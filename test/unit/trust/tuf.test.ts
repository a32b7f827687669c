import { verify } from "node:crypto";
import { canonicalize } from "@tufjs/canonical-json";
import { getTrustedRoot } from "@sigstore/tuf";
import { toTrustMaterial } from "@sigstore/verify";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { legacyTargets } from "../../../infra/trust/legacyTargets.ts";
import type { TrustRecords } from "../../../infra/trust/trustedRoot.ts";
import { trustedRoot } from "../../../infra/trust/trustedRoot.ts";
import { keyIdOf, signRoot, signSnapshot, signTargets } from "../../../infra/trust/tuf/metadata.ts";
import type { Signer, TargetFile } from "../../../infra/trust/tuf/metadata.ts";
import {
  flattenPath,
  repositoryFiles,
  restorePath,
  revisionHash,
} from "../../../infra/trust/tuf/repository.ts";
import type { PublishedVersion } from "../../../infra/trust/tuf/repository.ts";
import { signTimestamp, snapshotMeta } from "../../../infra/trust/tuf/timestamp.ts";
import { ecKeyPair, trustRecords } from "./fixture.ts";
import { Client, Mirror } from "../../support/mirror.ts";

const day = 86_400_000;
const inAYear = new Date(Date.now() + 365 * day);

interface Keys {
  root: Signer[];
  targets: Signer;
  snapshot: Signer;
  timestamp: Signer;
}

function newKeys(roots = 1): Keys {
  return {
    root: Array.from({ length: roots }, () => ecKeyPair()),
    targets: ecKeyPair(),
    snapshot: ecKeyPair(),
    timestamp: ecKeyPair(),
  };
}

function rootOf(keys: Keys, version: number, signers: Signer[], threshold = 1): string {
  return signRoot({
    version,
    expires: inAYear,
    root: { keys: keys.root.map((key) => key.publicKeyPem), threshold },
    targets: [keys.targets.publicKeyPem],
    snapshot: [keys.snapshot.publicKeyPem],
    timestamp: [keys.timestamp.publicKeyPem],
    signers,
  });
}

/** Targets and snapshot of one version. */
function version(
  keys: Keys,
  number: number,
  targetFiles: TargetFile[],
  expires = inAYear,
): PublishedVersion {
  const common = { version: number, expires };
  const targets = signTargets({ ...common, targets: targetFiles, signer: keys.targets });
  const named = { version: number, content: targets };
  const snapshot = signSnapshot({ ...common, targets: named, signer: keys.snapshot });
  return { version: number, targets, snapshot, targetFiles };
}

/** A whole repository; the timestamp's version is that of the newest publication. */
function serve(
  keys: Keys,
  roots: string[],
  publications: PublishedVersion[],
  expires = inAYear,
): Record<string, string> {
  const newest = publications.at(-1)!;
  const timestamp = signTimestamp({
    version: newest.version,
    expires,
    snapshot: snapshotMeta(newest.snapshot),
    signer: keys.timestamp,
  });
  return { ...repositoryFiles({ roots, publications }), "timestamp.json": timestamp };
}

/** A repository of one publication. */
function publish(
  keys: Keys,
  roots: string[],
  number: number,
  targetFiles: TargetFile[],
  expires = inAYear,
): Record<string, string> {
  return serve(keys, roots, [version(keys, number, targetFiles, expires)], expires);
}

describe("a mirror that serves our repository", () => {
  const mirror = new Mirror();
  const clients: Client[] = [];
  const client = (firstRoot: string) => {
    const made = new Client(mirror, firstRoot);
    clients.push(made);
    return made;
  };
  let records: TrustRecords;
  let documents: TargetFile[];
  let keys: Keys;
  let first: string;

  beforeAll(async () => {
    await mirror.open();
    records = await trustRecords(1);
    documents = [
      { name: "trusted_root.json", content: trustedRoot(records) },
      { name: "grüße.txt", content: "bytes, not characters: ü €\n" },
      ...legacyTargets(records),
    ];
  });
  beforeEach(() => {
    keys = newKeys();
    first = rootOf(keys, 1, keys.root);
    mirror.files = publish(keys, [first], 1, documents);
  });
  afterEach(() => clients.splice(0).forEach((made) => made.dispose()));
  afterAll(() => mirror.close());

  test("gives sigstore-js its trusted root, from the first root.json alone", async () => {
    const root = await getTrustedRoot(client(first).options);
    expect(toTrustMaterial(root).tlogs[0]?.logID.toString("base64")).toBe(records.rekor[0]?.logId);
    expect(root.timestampAuthorities[0]?.certChain?.certificates).toHaveLength(2);
  });

  test("gives every target byte for byte", async () => {
    const reader = client(first);
    for (const { name, content } of legacyTargets(records)) {
      expect(await reader.read(name)).toBe(content);
    }
  });

  test("asks for numbered and hash-named files only", async () => {
    mirror.requests.length = 0;
    await client(first).read("trusted_root.json");
    expect(mirror.requests).toEqual([
      ...["2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"],
      expect.stringMatching(/^targets\/[0-9a-f]{64}\.trusted_root\.json$/),
    ]);
    expect(mirror.files["root.json"]).toBe(first);
  });

  test("leads a client that knows root 1 to a cross-signed root with other keys", async () => {
    const warm = client(first);
    await warm.read("rekor.pub");
    const next = newKeys(3);
    const second = rootOf(next, 2, [...keys.root, ...next.root.slice(0, 2)], 2);
    const published = [{ name: "rekor.pub", content: "second\n" }];
    mirror.files = publish(next, [first, second], 2, published);
    expect(await warm.read("rekor.pub")).toBe("second\n");
    expect(await client(first).read("rekor.pub")).toBe("second\n");
    expect(mirror.files["1.root.json"]).toBe(first);
    expect(mirror.files["root.json"]).toBe(second);
  });

  test("is refused where the next root is not signed by the one before", async () => {
    const next = newKeys();
    mirror.files = publish(next, [first, rootOf(next, 2, next.root)], 2, documents);
    await expect(client(first).read("rekor.pub")).rejects.toThrow(/root was signed by 0\/1 keys/);
  });

  test("is refused when made anew with other keys", async () => {
    const next = newKeys();
    mirror.files = publish(next, [rootOf(next, 1, next.root)], 1, documents);
    await expect(client(first).read("rekor.pub")).rejects.toThrow(
      /timestamp was signed by 0\/1 keys/,
    );
  });

  test("is refused when a byte of a target was changed", async () => {
    const [path = ""] = Object.keys(mirror.files).filter((name) => name.endsWith("rekor.pub"));
    mirror.files[path] = (mirror.files[path] ?? "").replace("PUBLIC", "PUBLIX");
    await expect(client(first).read("rekor.pub")).rejects.toThrow(/error downloading target/);
  });

  test("is refused when expired", async () => {
    mirror.files = publish(keys, [first], 1, documents, new Date(Date.now() - 1000));
    await expect(client(first).read("rekor.pub")).rejects.toThrow(/timestamp.json is expired/);
  });

  test("is refused when it steps back", async () => {
    const reader = client(first);
    const older = mirror.files;
    mirror.files = publish(keys, [first], 2, documents);
    await reader.read("rekor.pub");
    mirror.files = older;
    await expect(reader.read("rekor.pub")).rejects.toThrow(/version 1 is less than/);
  });
});

describe("earlier publications", () => {
  const keys = newKeys();
  const root = rootOf(keys, 1, keys.root);
  const before = version(keys, 4, [{ name: "a", content: "before" }]);
  const after = version(keys, 5, [{ name: "a", content: "after" }]);

  test("stay reachable for a client who read the timestamp before the newest was served", () => {
    const alone = repositoryFiles({ roots: [root], publications: [before] });
    const both = repositoryFiles({ roots: [root], publications: [before, after] });
    expect(both).toMatchObject(alone);
    expect(Object.keys(both)).toHaveLength(Object.keys(alone).length + 3);
  });

  test("are refused out of order", () => {
    const of = (...publications: PublishedVersion[]) =>
      repositoryFiles({ roots: [root], publications });
    expect(() => of(after, before)).toThrow("TUF versions must grow, but are 5, 4");
    expect(() => of(after, after)).toThrow(/must grow/);
    expect(() => of()).toThrow(/needs a publication/);
  });

  test("together must fit into a ConfigMap, with room for the rest of it", () => {
    const large = (bytes: number) =>
      repositoryFiles({
        roots: [root],
        publications: [version(keys, 1, [{ name: "a", content: "ü".repeat(bytes / 2) }])],
      });
    expect(Object.values(large(890 * 1024)).length).toBe(5);
    expect(() => large(900 * 1024)).toThrow(/has 90\d KiB, and a ConfigMap takes 900/);
  });
});

describe("metadata", () => {
  const keys = newKeys();

  test("expires at a whole second and names its spec", () => {
    const expires = new Date("2030-01-02T03:04:05.678Z");
    const text = signTargets({ version: 7, expires, targets: [], signer: keys.targets });
    expect(JSON.parse(text)).toMatchObject({
      signed: { expires: "2030-01-02T03:04:05Z", spec_version: "1.0.31", version: 7 },
    });
  });

  test("carries DER signatures in hex over the canonical form", () => {
    const metadata = JSON.parse(rootOf(keys, 1, keys.root)) as {
      signed: object;
      signatures: { keyid: string; sig: string }[];
    };
    const [signature] = metadata.signatures;
    const bytes = Buffer.from(canonicalize(metadata.signed));
    const der = Buffer.from(signature?.sig ?? "", "hex");
    expect(verify("sha256", bytes, keys.root[0]?.publicKeyPem ?? "", der)).toBe(true);
  });

  test("hashes targets by SHA-256 alone and keeps their custom fields", () => {
    const custom = { sigstore: { usage: "Rekor", status: "Active", uri: "http://r.test" } };
    const targets = [{ name: "a", content: "ü", custom }];
    const text = signTargets({ version: 1, expires: inAYear, targets, signer: keys.targets });
    const { signed } = JSON.parse(text) as { signed: { targets: object } };
    const sha256 = "607474ca475a9724d7360aba71a56d5df77e61350e3f724cfa1f46e857e2d85f";
    expect(signed.targets).toEqual({ a: { length: 2, hashes: { sha256 }, custom } });
  });

  test("has the same key id for the same key, in whatever line ends, and another for another", () => {
    const [one, two] = [ecKeyPair().publicKeyPem, ecKeyPair().publicKeyPem];
    expect(keyIdOf(one)).toMatch(/^[0-9a-f]{64}$/);
    expect(keyIdOf(one.trim().replaceAll("\n", "\r\n"))).toBe(keyIdOf(one));
    expect(keyIdOf(two)).not.toBe(keyIdOf(one));
  });

  test("is not signed below its root's threshold, by a wrong key or a wrong curve", () => {
    const three = newKeys(3);
    expect(() => rootOf(three, 1, three.root.slice(0, 1), 2)).toThrow(/signed by 1\/2 keys/);
    const mixed = { ...ecKeyPair(), publicKeyPem: keys.targets.publicKeyPem };
    const sign = (signer: Signer) => () =>
      signTargets({ version: 1, expires: inAYear, targets: [], signer });
    expect(sign(mixed)).toThrow(/does not belong to its public key/);
    expect(sign(ecKeyPair("P-384"))).toThrow(/must be ECDSA P-256/);
  });
});

const fileName = fc.stringMatching(/^[a-z]([._-]?[a-z0-9]){0,30}$/);
const hex = fc.stringMatching(/^[0-9a-f]{64}$/);

describe("paths as ConfigMap keys", () => {
  test("turn back into the same path", () => {
    const targetPaths = fc.tuple(hex, fileName).map(([hash, name]) => `targets/${hash}.${name}`);
    fc.assert(
      fc.property(fc.oneof(fileName, targetPaths), (path) => {
        const key = flattenPath(path);
        expect(key).toMatch(/^[-._a-zA-Z0-9]+$/);
        expect(restorePath(key)).toBe(path);
      }),
    );
  });

  test.each(["a__b", "targets/grüße", "", "x".repeat(254), "a_/b"])("refuse %j", (path) => {
    expect(() => flattenPath(path)).toThrow(/cannot be a ConfigMap key/);
  });
});

describe("revisionHash", () => {
  const document = fc.record(
    {
      name: fileName,
      content: fc.string(),
      custom: fc.record({
        sigstore: fc.record({ usage: fc.string(), status: fc.string() }),
      }),
    },
    { requiredKeys: ["name", "content"] },
  );
  const documents = fc.uniqueArray(document, { minLength: 1, selector: (file) => file.name });

  test("stays the same in whatever order the documents come", () => {
    fc.assert(
      fc.property(documents, (files) => {
        expect(revisionHash(files.toReversed())).toBe(revisionHash(files));
        expect(revisionHash(structuredClone(files))).toBe(revisionHash(files));
      }),
    );
  });

  test("changes when a document is changed, renamed, relabelled or left out", () => {
    fc.assert(
      fc.property(documents, fc.nat(), (files, at) => {
        const index = at % files.length;
        const changed = (change: (file: TargetFile) => TargetFile) =>
          revisionHash(files.with(index, change(files[index] as TargetFile)));
        const before = revisionHash(files);
        expect(changed((file) => ({ ...file, content: `${file.content} ` }))).not.toBe(before);
        expect(changed((file) => ({ ...file, name: `${file.name}-` }))).not.toBe(before);
        const custom = { sigstore: { usage: "another", status: "than before" } };
        expect(changed((file) => ({ ...file, custom }))).not.toBe(before);
        expect(revisionHash(files.toSpliced(index, 1))).not.toBe(before);
      }),
    );
  });

  test("does not depend on the signatures", () => {
    const files = [{ name: "a", content: "b" }];
    const sign = () =>
      signTargets({ version: 1, expires: inAYear, targets: files, signer: newKeys().targets });
    expect(sign()).not.toBe(sign());
    expect(revisionHash(files)).toBe(revisionHash([{ name: "a", content: "b" }]));
  });
});
