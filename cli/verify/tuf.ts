import { SigningConfig, ServiceSelector, type Service } from "@sigstore/protobuf-specs";
import type { StackOutputs } from "../../infra/outputs.ts";
import { trustedRoot } from "../../infra/trust/trustedRoot.ts";
import { trusted } from "../../infra/trust/trusted.ts";
import { sha256 } from "../../infra/trust/tuf/metadata.ts";
import { fail, ok, warn, type Check, type Verdict } from "./finding.ts";
import { getText } from "../../infra/observe/http.ts";
import { warnDays } from "../../infra/observe/horizon.ts";
import { roles, servedRevision, type Mirror } from "../../infra/observe/mirror.ts";
import { timestampCheck } from "./timestamp.ts";

/** The roles that an update signs; the cluster renews the timestamp, which has a check of its own. */
const publishedRoles = ["root", "targets", "snapshot"] as const;

const publish = "Run `pulumi up`: it publishes anew. Until then clients keep what they have.";

/** The TUF repository: the first root, the chain, and that it says what the records say. */
export const tufChecks: readonly Check[] = [
  {
    service: "tuf",
    title: "first root",
    hint:
      "Clients start from this file; it must never change. Do not publish from another state: " +
      "restore the state that made it.",
    async run({ outputs, signal }) {
      const { rootUrl, rootSha256 } = outputs.mirror;
      const [served, known] = [sha256(await getText(rootUrl, signal)), sha256(outputs.initialRoot)];
      const expected = `sha256:${rootSha256.slice(0, 12)}`;
      if (known !== rootSha256) return fail(`output initialRoot: sha256:${known}`, expected);
      return served === rootSha256
        ? ok(expected)
        : fail(`sha256:${served.slice(0, 12)} at ${rootUrl}`, expected);
    },
  },
  {
    service: "tuf",
    title: "chain from root 1",
    expected: "metadata that a client who knows root 1 accepts",
    hint: `${publish} But if it is the timestamp that has expired, see the check of it.`,
    async run({ mirror, now }) {
      return judgeExpiry((await mirror()).roles, now);
    },
  },
  timestampCheck,
  {
    service: "tuf",
    title: "trusted_root.json",
    hint: publish,
    async run({ mirror, outputs }) {
      const served = await (await mirror()).target("trusted_root.json");
      return compareTrustedRoot(served, outputs);
    },
  },
  {
    service: "tuf",
    title: "signing_config.v0.2.json",
    hint: publish,
    async run({ mirror, outputs, now }) {
      const served = await (await mirror()).target("signing_config.v0.2.json");
      return compareSigningConfig(served, outputs, now);
    },
  },
  {
    service: "tuf",
    title: "revision",
    hint: publish,
    async run({ mirror, outputs }) {
      const seen = await servedRevision(await mirror());
      const { revision } = outputs;
      return seen === revision
        ? ok(revision.slice(0, 12))
        : fail(seen.slice(0, 12), revision.slice(0, 12));
    },
  },
];

/** The roles' versions and the time that is left of each; a client refuses what has expired. */
export function judgeExpiry(signed: Mirror["roles"], now: Date): Verdict {
  const left = (role: keyof Mirror["roles"]) =>
    (signed[role].expires.getTime() - now.getTime()) / 86_400_000;
  const seen = roles
    .map((role) => `${role} ${signed[role].version} (${left(role).toFixed(1)} d)`)
    .join(", ");
  if (roles.some((role) => left(role) <= 0)) return fail(seen, "no role expired");
  const late = publishedRoles.filter((role) => left(role) < warnDays[role]);
  return late.length === 0
    ? ok(seen)
    : warn(seen, late.map((role) => `${role} at least ${warnDays[role]} d`).join(", "));
}

/** The served file must be, byte for byte, what the records give. */
export function compareTrustedRoot(served: string, { records, life }: StackOutputs): Verdict {
  const expected = trustedRoot(trusted(records, life));
  if (served === expected) return ok(`equals the records, sha256:${sha256(served).slice(0, 12)}`);
  return fail(
    `differs from the records at line ${firstDifference(served, expected)}`,
    `sha256:${sha256(expected).slice(0, 12)}`,
  );
}

function firstDifference(a: string, b: string): number {
  const [left, right] = [a.split("\n"), b.split("\n")];
  const index = left.findIndex((line, at) => line !== right[at]);
  return (index < 0 ? Math.min(left.length, right.length) : index) + 1;
}

/** One service of each kind, the stack's own, valid now: the shape that all clients agree on. */
export function compareSigningConfig(served: string, outputs: StackOutputs, now: Date): Verdict {
  const config = SigningConfig.fromJSON(JSON.parse(served));
  const { services } = outputs;
  const tsa = services.tsa.replace(/(\/api\/v1\/timestamp)?\/?$/, "/api/v1/timestamp");
  const problems = [
    ...judgeServices("Fulcio", config.caUrls, services.fulcio, now),
    ...judgeServices("Rekor", config.rekorTlogUrls, services.rekor, now),
    ...judgeServices("TSA", config.tsaUrls, tsa, now),
    ...[config.rekorTlogConfig, config.tsaConfig]
      .filter((selection) => selection?.selector !== ServiceSelector.ANY)
      .map(() => "a selector other than ANY"),
  ];
  const seen = [config.caUrls, config.rekorTlogUrls, config.tsaUrls]
    .map((list) => list.map((service) => service.url).join(" "))
    .join(", ");
  const expected = `${services.fulcio}, ${services.rekor}, ${tsa}`;
  return problems.length === 0
    ? ok(seen)
    : fail(`${seen} (${problems.join("; ")})`, `${expected}, each once and valid now`);
}

function judgeServices(kind: string, list: readonly Service[], url: string, now: Date): string[] {
  const [service] = list;
  if (service === undefined || list.length > 1) return [`${list.length} ${kind} services`];
  const start = service.validFor?.start?.getTime() ?? Infinity;
  const end = service.validFor?.end?.getTime() ?? Infinity;
  return [
    ...(service.url === url.replace(/\/$/, "") ? [] : [`another ${kind}`]),
    ...(start <= now.getTime() && now.getTime() <= end ? [] : [`${kind} not valid now`]),
  ];
}
