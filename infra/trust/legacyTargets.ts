import type { Trusted, TrustRecords } from "./trustedRoot.ts";
import type { TargetFile } from "./tuf/metadata.ts";

type Usage = "Fulcio" | "Rekor" | "CTFE" | "TSA";

/**
 * The single-key targets that clients read which do not know trusted_root.json: they look for
 * `custom.sigstore.usage` first, then for the names of the public instance (sigstore/sigstore,
 * pkg/tuf). The first generation carries exactly those names. These clients know no windows: what
 * was closed is `Expired`, with which they still verify; what is distrusted must not be there.
 */
export function legacyTargets(records: TrustRecords): TargetFile[] {
  return [
    ...known(records.fulcioCa).flatMap((record) => fulcioFiles(record.chain, record)),
    ...known(records.rekor).map((log) =>
      file(`rekor${suffix(log)}.pub`, log.publicKeyPem, "Rekor", { ...log, uri: log.baseUrl }),
    ),
    ...known(records.ctLog).map((log) =>
      file(`ctfe${suffix(log)}.pub`, log.publicKeyPem, "CTFE", { ...log, uri: log.baseUrl }),
    ),
    ...known(records.tsa).flatMap((record) => tsaFiles(record.chain, record)),
  ];
}

function known<R>(records: readonly Trusted<R>[]): Trusted<R>[] {
  return records.filter(({ distrusted }) => distrusted !== true);
}

type Source = Trusted<{ generation: number; uri: string }>;

function fulcioFiles(chain: string[], record: Source): TargetFile[] {
  const version = `v${record.generation}`;
  return chain.map((pem, index) => {
    const depth = chain.length - 1 - index;
    const role = depth === 0 ? "" : depth === 1 ? "_intermediate" : `_intermediate_${depth}`;
    return file(`fulcio${role}_${version}.crt.pem`, pem, "Fulcio", record);
  });
}

function tsaFiles(chain: string[], record: Source): TargetFile[] {
  return chain.map((pem, index) => {
    const last = index === chain.length - 1;
    const role = index === 0 ? "leaf" : last ? "root" : `intermediate_${index - 1}`;
    return file(`tsa_${role}${suffix(record)}.crt.pem`, pem, "TSA", record);
  });
}

function suffix(record: { generation: number }): string {
  return record.generation === 1 ? "" : `_${record.generation}`;
}

function file(
  name: string,
  content: string,
  usage: Usage,
  { uri, end }: { uri: string; end?: string | undefined },
): TargetFile {
  const status = end === undefined ? "Active" : "Expired";
  return { name, content, custom: { sigstore: { usage, status, uri } } };
}
