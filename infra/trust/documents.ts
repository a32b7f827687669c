import type { LogRecord, TsaRecord } from "./records.ts";
import { legacyTargets } from "./legacyTargets.ts";
import { signingConfig } from "./signingConfig.ts";
import { trustedRoot, type TrustRecords } from "./trustedRoot.ts";
import type { TargetFile } from "./tuf/metadata.ts";

export interface DocumentsArgs {
  records: TrustRecords;
  /** The generations that clients write to. */
  rekor: LogRecord;
  tsa: TsaRecord;
  fulcioUrl: string;
  /** The issuer that people sign in at. */
  signIn: string;
  operator: string;
}

/** All that clients read from the mirror: a pure function of the records and the addresses. */
export function documents(args: DocumentsArgs): TargetFile[] {
  const { records, rekor, tsa } = args;
  const starts = records.fulcioCa.map(({ start }) => start).sort();
  return [
    { name: "trusted_root.json", content: trustedRoot(records) },
    {
      name: "signing_config.v0.2.json",
      content: signingConfig({
        fulcio: args.fulcioUrl,
        oidcIssuer: args.signIn,
        rekor: { url: rekor.baseUrl, start: rekor.start },
        tsa: { url: tsa.uri, start: tsa.start },
        start: starts[0] ?? rekor.start,
        operator: args.operator,
      }),
    },
    ...legacyTargets(records),
  ];
}
