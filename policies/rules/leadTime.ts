import { loadConfig, type Config } from "../../infra/config.ts";
import { inOrder, kinds, type Kind } from "../../infra/trust/generations.ts";
import { slugs } from "../../infra/trust/memory.ts";
import { find, text } from "../plain.ts";
import { resourceRule, stackRule, type Resource } from "../rule.ts";

type Times = Pick<Config, "leadTime" | "timestamp">;
type Trust = Pick<Config, "leadTime" | "trust">;

/** What is wrong with the lead time of a stack, in seconds throughout. */
export function leadTimeProblems({ leadTime, timestamp }: Times, floor: number): string[] {
  const short = (least: number, what: string) =>
    leadTime < least ? [`anchorhold:leadTime is ${leadTime} s, less than ${what}`] : [];
  return [
    ...short(floor, `the floor of ${floor} s`),
    ...short(timestamp.life, `the ${timestamp.life} s that a TUF timestamp lives`),
  ];
}

export const leadTimeFloor = resourceRule<{ floorHours: number; local: string[] }>({
  name: "lead-time-floor",
  description:
    "Set anchorhold:leadTime to a day or more and to no less than the life of the TUF timestamp, so that every client has asked before a new generation is used.",
  config: {
    floorHours: { type: "number", minimum: 0, default: 24 },
    // Stacks that need not wait.
    local: { type: "array", items: { type: "string" }, default: ["local"] },
  },
  check: ({ type, stack }, { floorHours, local }) =>
    type === "pulumi:pulumi:Stack" && !local.includes(stack)
      ? leadTimeProblems(loadConfig(), floorHours * 3600)
      : [],
});

/** When a record says it was observed, in milliseconds; NaN where it is not there or not known. */
function timeOf(resources: readonly Resource[], isIt: (stash: Resource) => boolean): number {
  const stash = resources.find((one) => one.type === "pulumi:index:Stash" && isIt(one));
  return Date.parse(text(find(stash?.props ?? {}, "output", "at")));
}

/** When every replica used a generation, if it has been so: the first time counts. */
function usedSince(resources: readonly Resource[], kind: Kind, number: number): number {
  const isSwitch = new RegExp(`^${slugs[kind]}-switch-\\d+$`);
  return timeOf(
    resources,
    ({ name, props }) => isSwitch.test(name) && find(props, "output", "generation") === number,
  );
}

/** Whether a generation that is in use was published for long enough before. */
function problemOf(
  resources: readonly Resource[],
  { kind, number, leadTime, now }: { kind: Kind; number: number; leadTime: number; now: Date },
): string[] {
  const published = timeOf(resources, ({ name }) => name === `${slugs[kind]}-${number}-published`);
  if (Number.isNaN(published))
    return [`${kind} ${number} is active and was never seen published before`];
  const used = usedSince(resources, kind, number);
  const waited = (Number.isNaN(used) ? now.getTime() : used) - published;
  if (waited >= leadTime * 1000) return [];
  return [`${kind} ${number} is active sooner than anchorhold:leadTime after it was published`];
}

/** What is wrong with the generations in use; a stack's first one has nothing to wait for. */
export function announcementProblems(
  resources: readonly Resource[],
  { trust, leadTime }: Trust,
  now: Date,
): string[] {
  return kinds.flatMap((kind) =>
    inOrder(trust[kind])
      .filter(({ number, generation }) => number > 1 && generation.state === "active")
      .flatMap(({ number }) => problemOf(resources, { kind, number, leadTime, now })),
  );
}

export const announcedBeforeActive = stackRule<object>({
  name: "announced-before-active",
  description:
    "Announce a generation first (anchorhold:trust) and make it active when it has been published for the lead time: what clients do not know yet, they refuse.",
  check: (resources) => announcementProblems(resources, loadConfig(), new Date()),
});
