import { X509Certificate } from "node:crypto";
import { loadConfig, type Config } from "../../infra/config.ts";
import { inOrder } from "../../infra/trust/generations.ts";
import { slugs } from "../../infra/trust/memory.ts";
import { find, isObject, text, unknown, type Plain } from "../plain.ts";
import { stackRule, type Resource } from "../rule.ts";

/** Days before its end from which something is too near to it. */
export interface Horizons {
  /** Of a certificate of a CA or timestamp authority. */
  certificateDays: number;
  /** Of TUF's root. */
  rootDays: number;
  /** Of TUF's targets and snapshot. */
  metadataDays: number;
}

type Stack = Pick<Config, "trust" | "tufLife">;

/** A record's content; undefined where there is none, `unknown` where this update makes it. */
function recordOf(resources: readonly Resource[], name: string): Plain {
  const stash = resources.find((one) => one.type === "pulumi:index:Stash" && one.name === name);
  return stash === undefined ? undefined : (stash.props["output"] ?? unknown);
}

const dayMilliseconds = 86_400_000;

/** Whether a time is that near or over; one that cannot be read is over. */
function isNear(ends: number, days: number, now: Date): boolean {
  return !(ends - now.getTime() >= days * dayMilliseconds);
}

/** When the first certificate of a chain ends; NaN where it cannot be read. */
function endOfChain(chain: Plain): number {
  if (!Array.isArray(chain) || chain.length === 0) return NaN;
  return Math.min(
    ...chain.map((pem) => {
      try {
        return Date.parse(new X509Certificate(text(pem)).validTo);
      } catch {
        return NaN;
      }
    }),
  );
}

/** The chain in use ends soon and no other generation is on its way. */
function certificateProblems(
  resources: readonly Resource[],
  { trust }: Stack,
  { certificateDays, now }: Horizons & { now: Date },
): string[] {
  return (["fulcioCa", "tsa"] as const).flatMap((kind) => {
    const entries = inOrder(trust[kind]);
    // The update that announces the next generation must not be refused for the want of it.
    if (entries.some(({ generation }) => generation.state === "announced")) return [];
    return entries
      .filter(({ generation }) => generation.state === "active")
      .flatMap(({ number }) => {
        const record = recordOf(resources, `${slugs[kind]}-${number}-public`);
        const chain = isObject(record) ? record["chain"] : record;
        // What the update makes now, it makes for ten years.
        if (chain === unknown || !isNear(endOfChain(chain), certificateDays, now)) return [];
        return [`${kind} ${number}: a certificate ends in fewer than ${certificateDays} days`];
      });
  });
}

/** The record with the highest number, such as `tuf-publication-7`. */
function newest(resources: readonly Resource[], pattern: RegExp): Plain {
  const numbered = resources
    .map(({ name }) => ({ name, number: Number(pattern.exec(name)?.[1]) }))
    .filter(({ number }) => !Number.isNaN(number))
    .sort((a, b) => b.number - a.number);
  return recordOf(resources, numbered[0]?.name ?? "");
}

function rootEnd(record: Plain): number {
  try {
    const root = JSON.parse(text(record)) as { signed?: { expires?: string } };
    return Date.parse(root.signed?.expires ?? "");
  } catch {
    return NaN;
  }
}

/** What the program signs, and how long what it will sign shall live. */
function metadataProblems(
  resources: readonly Resource[],
  { tufLife }: Stack,
  { rootDays, metadataDays, now }: Horizons & { now: Date },
): string[] {
  const root = newest(resources, /^tuf-root-(\d+)-json$/);
  const publication = newest(resources, /^tuf-publication-(\d+)$/);
  const publicationEnd = Date.parse(text(find(publication, "expires")));
  const kept: [boolean, string][] = [
    [tufLife.root >= rootDays, `anchorhold:tufLife.root is less than ${rootDays} days`],
    // Renewed when a third is left, so nothing that lives longer comes nearer to its end.
    ...(["targets", "snapshot"] as const).map((role): [boolean, string] => [
      tufLife[role] / 3 >= metadataDays,
      `anchorhold:tufLife.${role} is less than three times ${metadataDays} days`,
    ]),
    [
      root === unknown || !isNear(rootEnd(root), rootDays, now),
      `TUF's root ends in fewer than ${rootDays} days`,
    ],
    [
      publication === unknown || !isNear(publicationEnd, metadataDays, now),
      `TUF's targets or snapshot end in fewer than ${metadataDays} days`,
    ],
  ];
  return kept.filter(([isKept]) => !isKept).map(([, problem]) => problem);
}

/** Everything that ends too soon for somebody to look after it in time. */
export function horizonProblems(
  resources: readonly Resource[],
  stack: Stack,
  horizons: Horizons & { now: Date },
): string[] {
  return [
    ...certificateProblems(resources, stack, horizons),
    ...metadataProblems(resources, stack, horizons),
  ];
}

const days = (count: number) => ({ type: "number", minimum: 0, default: count }) as const;

export const horizons = stackRule<Horizons>({
  name: "horizons",
  description:
    "Renew what ends soon, or let it live longer: announce the next generation for a certificate (anchorhold:trust), and for TUF's metadata raise anchorhold:tufLife.",
  config: { certificateDays: days(90), rootDays: days(30), metadataDays: days(7) },
  check: (resources, config) =>
    horizonProblems(resources, loadConfig(), { ...config, now: new Date() }),
});
