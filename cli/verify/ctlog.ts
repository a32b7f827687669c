import { createPublicKey } from "node:crypto";
import * as z from "zod";
import type { StackOutputs } from "../../infra/outputs.ts";
import type { LogRecord } from "../../infra/trust/records.ts";
import { certificateFingerprint, short } from "./certificates.ts";
import { fail, ok, type Check } from "./finding.ts";
import { getJson } from "../../infra/observe/http.ts";
import { verifyTreeHead } from "../../infra/observe/sth.ts";

const treeHead = z.object({
  tree_size: z.int(),
  timestamp: z.int(),
  sha256_root_hash: z.string(),
  tree_head_signature: z.string(),
});

const roots = z.object({ certificates: z.array(z.string()) });

/** One pair of checks for each CT log that is served (RFC 6962, sections 4.3 and 4.7). */
export function ctLogChecks({ records, life }: StackOutputs): Check[] {
  const served = [...life.ctLog.accepts, ...life.ctLog.readOnly];
  return Object.entries(records.ctLog)
    .filter(([generation]) => served.includes(Number(generation)))
    .flatMap(([generation, record]) => [
      treeHeadCheck(generation, record),
      rootsCheck(generation, record),
    ]);
}

function treeHeadCheck(generation: string, record: LogRecord): Check {
  return {
    service: "ctlog",
    title: `tree head ${generation}`,
    expected: "a tree head signed by the recorded key",
    hint:
      "The log signs with another key than the recorded one: clients will refuse its SCTs. " +
      "Run `pulumi up`, and see that its Secret was not edited by hand.",
    async run({ signal }) {
      const head = treeHead.parse(await getJson(`${record.baseUrl}/ct/v1/get-sth`, signal));
      verifyTreeHead(head, createPublicKey(record.publicKeyPem));
      return ok(`signature good, ${head.tree_size} entries`);
    },
  };
}

function rootsCheck(generation: string, record: LogRecord): Check {
  return {
    service: "ctlog",
    title: `accepted roots ${generation}`,
    hint:
      'A CA that the log does not accept fails every signature with "Error entering ' +
      'certificate in CTL". Run `pulumi up`.',
    async run({ outputs, signal }) {
      const { certificates } = roots.parse(
        await getJson(`${record.baseUrl}/ct/v1/get-roots`, signal),
      );
      const seen = certificates.map((der) => certificateFingerprint(Buffer.from(der, "base64")));
      return compareRoots(seen, outputs);
    },
  };
}

/** The log must accept the root of each CA that may be used, and no other. */
export function compareRoots(seen: readonly string[], { records, life }: StackOutputs) {
  const expected = life.fulcioCa.accepts.map((generation) =>
    certificateFingerprint(records.fulcioCa[generation]?.chain.at(-1) ?? ""),
  );
  const text = short([...new Set(seen)].sort()) || "none";
  const wanted = short([...new Set(expected)].sort());
  return text === wanted ? ok(text) : fail(text, wanted);
}
