import type { TrustRecords } from "./trustedRoot.ts";
import type { TargetFile } from "./tuf/metadata.ts";

type Usage = "Fulcio" | "Rekor" | "CTFE" | "TSA";

/**
 * The single-key targets that clients read which do not know trusted_root.json: they look for
 * `custom.sigstore.usage` first, then for the names of the public instance (sigstore/sigstore,
 * pkg/tuf). The first generation carries exactly those names.
 */
export function legacyTargets(records: TrustRecords): TargetFile[] {
  return [
    ...records.fulcioCa.flatMap((record) => fulcioFiles(record.chain, record)),
    ...records.rekor.map((log) =>
      file(`rekor${suffix(log)}.pub`, log.publicKeyPem, "Rekor", log.baseUrl),
    ),
    ...records.ctLog.map((log) =>
      file(`ctfe${suffix(log)}.pub`, log.publicKeyPem, "CTFE", log.baseUrl),
    ),
    ...records.tsa.flatMap((record) => tsaFiles(record.chain, record)),
  ];
}

function fulcioFiles(chain: string[], record: { generation: number; uri: string }): TargetFile[] {
  const version = `v${record.generation}`;
  return chain.map((pem, index) => {
    const depth = chain.length - 1 - index;
    const role = depth === 0 ? "" : depth === 1 ? "_intermediate" : `_intermediate_${depth}`;
    return file(`fulcio${role}_${version}.crt.pem`, pem, "Fulcio", record.uri);
  });
}

function tsaFiles(chain: string[], record: { generation: number; uri: string }): TargetFile[] {
  return chain.map((pem, index) => {
    const last = index === chain.length - 1;
    const role = index === 0 ? "leaf" : last ? "root" : `intermediate_${index - 1}`;
    return file(`tsa_${role}${suffix(record)}.crt.pem`, pem, "TSA", record.uri);
  });
}

function suffix(record: { generation: number }): string {
  return record.generation === 1 ? "" : `_${record.generation}`;
}

function file(name: string, content: string, usage: Usage, uri: string): TargetFile {
  return { name, content, custom: { sigstore: { usage, status: "Active", uri } } };
}
