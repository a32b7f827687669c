import { createPublicKey } from "node:crypto";
import { TrustedRoot, type CertificateAuthority } from "@sigstore/protobuf-specs";
import { matchChain, certificateFingerprint, splitPem } from "../../../cli/verify/certificates.ts";
import { compareLog } from "../../../cli/verify/rekor.ts";
import { verifyTreeHead, type SignedTreeHead } from "../../../infra/observe/sth.ts";
import type { Tree } from "../../../cli/trillian/client.ts";
import {
  fulcioCaRecord,
  logRecord,
  tsaRecord,
  type FulcioCaRecord,
  type LogRecord,
  type TsaRecord,
} from "../../../infra/trust/records.ts";
import type { Props } from "../../../local/pulumi/values.ts";
import type { PendingOperation, StateResource } from "./engine.ts";
import { walk, type Accepted } from "./mirrorClient.ts";
import type { Served } from "./served.ts";
import type { Response, Service } from "./served/http.ts";
import type { Signing } from "./signer.ts";
import { mirrorUrl, type ProgramUnderTest } from "./stack.ts";

/** All that there is at one moment: state, cluster, Trillian, and what is served. */
export interface World {
  /** Secrets in the clear. */
  resources: readonly StateResource[];
  pending: readonly PendingOperation[];
  objects: readonly Props[];
  trees: readonly Tree[];
  signing: Signing;
  /** What each Ready pod of the mirror serves, or why a client refuses it. */
  mirrors: readonly (Accepted | Error)[];
  /** Where a service answers with something else than the state's record says. */
  strangers: readonly string[];
  /** Roots that CT logs accept and identities that mirrors list, one line each. */
  trusted: readonly string[];
  /** What the state says to be closed: fingerprints of CA roots and URLs of logs. */
  closed: readonly string[];
  /** Keys that the state says to be destroyed: the ends of their URNs. */
  destroyed: readonly string[];
}

export async function look(program: ProgramUnderTest): Promise<World> {
  const { state } = await program.engine.exportState({ showSecrets: true });
  const { resources = [], pending_operations: pending = [] } = state.deployment;
  const records = recordsOf(resources);
  const mirrors = program.served.endpoints(mirrorUrl).map(({ service }) => walked(service));
  return {
    resources,
    pending,
    objects: program.engine.cluster.all(),
    trees: [...program.trillian.trees],
    signing: await program.trySign(),
    mirrors,
    strangers: strangers(program.served, records),
    closed: closed(resources, records),
    destroyed: stamped(resources, "retired").map((name) => `::${name}-key`),
    trusted: [
      ...records.ctLog.flatMap((log) => accepted(program.served, log)),
      ...mirrors.flatMap((mirror) => (mirror instanceof Error ? [] : listed(mirror))),
    ],
  };
}

/** `fulcio-ca-1` for a Stash `fulcio-ca-1-<stamp>`. */
function stamped(resources: readonly StateResource[], stamp: string): string[] {
  return resources.flatMap(
    ({ urn }) => new RegExp(`::([a-z-]+-\\d+)-${stamp}$`).exec(urn)?.[1] ?? [],
  );
}

function closed(resources: readonly StateResource[], { fulcioCa, ctLog }: Records): string[] {
  const names = new Set(stamped(resources, "closed"));
  return [
    ...fulcioCa
      .filter(({ generation }) => names.has(`fulcio-ca-${generation}`))
      .map(({ chain }) => certificateFingerprint(chain.at(-1) ?? "")),
    ...ctLog
      .filter(({ generation }) => names.has(`ctlog-${generation}`))
      .map(({ baseUrl }) => baseUrl),
  ];
}

interface Records {
  fulcioCa: FulcioCaRecord[];
  tsa: TsaRecord[];
  ctLog: LogRecord[];
  rekor: LogRecord[];
}

/** The records of the state: Stashes by the names that the program gives them. */
function recordsOf(resources: readonly StateResource[]): Records {
  const named = (pattern: RegExp) =>
    resources
      .filter(({ urn, type }) => type === "pulumi:index:Stash" && pattern.test(urn))
      .map(({ outputs = {} }) => outputs["output"]);
  return {
    fulcioCa: named(/::fulcio-ca-\d+-public$/).map((record) => fulcioCaRecord.parse(record)),
    tsa: named(/::tsa-\d+-public$/).map((record) => tsaRecord.parse(record)),
    ctLog: named(/::ctlog-\d+-public$/).map((record) => logRecord.parse(record)),
    rekor: named(/::rekor-\d+-public$/).map((record) => logRecord.parse(record)),
  };
}

function walked(mirror: Service): Accepted | Error {
  try {
    return walk(mirror, new Date());
  } catch (error) {
    return error as Error;
  }
}

/** Each service that is Ready must be the one that its record describes. */
function strangers(served: Served, { fulcioCa, tsa, ctLog, rekor }: Records): string[] {
  return [
    ...ctLog.flatMap((log) =>
      at(served, log.baseUrl, "/ct/v1/get-sth", (answer) => signedBy(answer, log)),
    ),
    ...rekor.flatMap((log) =>
      at(served, log.baseUrl, "/api/v1/log", (answer) => ownTree(answer, log)),
    ),
    ...chains(served, fulcioCa, "/api/v2/trustBundle", ({ body }) => {
      const { chains } = JSON.parse(String(body)) as { chains: { certificates: string[] }[] };
      return chains.flatMap(({ certificates }) => certificates);
    }),
    ...chains(served, tsa, "/api/v1/timestamp/certchain", ({ body }) => splitPem(String(body))),
  ];
}

/** The problems that each Ready replica behind the URL shows. */
function at(
  served: Served,
  baseUrl: string,
  path: string,
  judge: (answer: Response) => string | undefined,
): string[] {
  const { pathname } = new URL(baseUrl);
  return served.endpoints(baseUrl).flatMap(({ service }) => {
    const answer = service.get(`${pathname.replace(/\/$/, "")}${path}`);
    // Not served yet is not served wrongly.
    const problem = answer.status === 200 ? judge(answer) : undefined;
    return problem === undefined ? [] : [`${baseUrl}${path}: ${problem}`];
  });
}

function signedBy({ body }: Response, log: LogRecord): string | undefined {
  try {
    verifyTreeHead(JSON.parse(String(body)) as SignedTreeHead, createPublicKey(log.publicKeyPem));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function ownTree({ body }: Response, log: LogRecord): string | undefined {
  const verdict = compareLog(JSON.parse(String(body)) as Parameters<typeof compareLog>[0], log);
  return verdict.result === "ok" ? undefined : verdict.seen;
}

function chains(
  served: Served,
  records: readonly (FulcioCaRecord | TsaRecord)[],
  path: string,
  read: (answer: Response) => string[],
): string[] {
  const known = Object.fromEntries(records.map((record) => [record.generation, record]));
  return [...new Set(records.map(({ uri }) => uri))].flatMap((uri) =>
    at(served, uri, path, (answer) => {
      const { generation, seen } = matchChain(read(answer), known);
      return generation === undefined ? `${seen} is in no record` : undefined;
    }),
  );
}

function accepted(served: Served, { baseUrl }: LogRecord): string[] {
  const { pathname } = new URL(baseUrl);
  return served.endpoints(baseUrl).flatMap(({ service }) => {
    const { status, body } = service.get(`${pathname}/ct/v1/get-roots`);
    if (status !== 200) return [];
    const { certificates } = JSON.parse(String(body)) as { certificates: string[] };
    return certificates.map((der) => {
      const print = certificateFingerprint(Buffer.from(der, "base64"));
      return `${baseUrl} accepts ${print}`;
    });
  });
}

function listed(mirror: Accepted): string[] {
  const root = TrustedRoot.fromJSON(JSON.parse(mirror.target("trusted_root.json")));
  const chain = ({ certChain }: CertificateAuthority) =>
    (certChain?.certificates ?? [])
      .map(({ rawBytes }) => certificateFingerprint(rawBytes))
      .join(" ");
  return [
    ...root.certificateAuthorities.map((ca) => `the mirror lists CA ${chain(ca)}`),
    ...root.timestampAuthorities.map((tsa) => `the mirror lists TSA ${chain(tsa)}`),
    ...[...root.ctlogs, ...root.tlogs].map(
      ({ logId }) => `the mirror lists log ${logId?.keyId.toString("base64")}`,
    ),
  ];
}
