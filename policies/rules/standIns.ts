import { chartOf, isRelease } from "../release.ts";
import { resourceRule } from "../rule.ts";

/** Everything that only stands in for something lies in local/. */
const standIn = /^(\.\/|.*\/)?local\/chart\//;

export const standInsLocal = resourceRule<{ local: string[] }>({
  name: "stand-ins-local",
  description:
    "Install the scaffold chart from its repository, a mirror or an unpacked copy (anchorhold:chart): the stand-in is for the local stack.",
  config: {
    // Stacks that may have stand-ins.
    local: { type: "array", items: { type: "string" }, default: ["local"] },
  },
  check: (resource, { local }) =>
    isRelease(resource) && standIn.test(chartOf(resource)) && !local.includes(resource.stack)
      ? [`Release ${resource.name} installs the stand-in chart`]
      : [],
});
