import { missingRelease } from "../downloads/index.ts";
import { pulumiRelease } from "../downloads/releases.ts";
import { LocalError } from "../errors.ts";
import type { Choices } from "../stack/choices.ts";
import { installedPulumi } from "../stack/installed.ts";
import { missingPlugins } from "../stack/plugins.ts";
import { climb, type Rung, type Taken } from "./climb.ts";
import type { RungOf, Switches } from "./rungs.ts";

const install =
  "Install Pulumi 3.219 or newer (https://www.pulumi.com/docs/iac/download-install/).";
const reach = "Let this machine reach it, or name a mirror in ANCHORHOLD_DOWNLOADS.";

/** The two that a stack's state may have been made with are never mixed. */
const bound = (plugins: RungOf<"plugins">): string =>
  `This stack's state was made with the ${plugins === "official" ? "official plugins" : "stand-ins for the plugins"}, ` +
  "and a state is not handed from the one to the other: nothing was changed. " +
  "`npm run down -- --purge` ends this stack, keys and all, and frees the choice.";

/**
 * The rungs for the Pulumi command line and for what stands behind it.
 *
 * @param known what was chosen before; the plugins stay as they were
 * @throws LocalError when what is wanted, or must stay, is not there
 */
export async function choosePulumiRungs(
  switches: Switches,
  known: Choices | undefined,
): Promise<{ pulumi: Taken<"pulumi">; plugins: Taken<"plugins"> }> {
  if (switches.pulumi === "build" && switches.plugins === "official")
    throw new LocalError(
      "--pulumi build --plugins official: a build from the Go module has no language host for " +
        "Node.js, which the official plugins need beside it. Leave out one of the two.",
    );
  const before = formerPlugins(known);
  const fixed = switches.plugins ?? before;
  // Looked at beside the command line: what a host does not answer costs its time once.
  const official = officialPlugins(fixed === undefined && switches.pulumi !== "build");
  const rungs = commandLines(fixed);
  const pulumi = await climb({
    need: "pulumi",
    title: fixed === "official" ? "Pulumi, for the official plugins" : "Pulumi",
    rungs,
    wanted: switches.pulumi,
    before: known?.rungs?.pulumi,
  });
  const plugins = await climb({
    need: "plugins",
    title: "Plugins",
    rungs: pulumi.rung === "build" ? [standIns] : [official, standIns],
    wanted: switches.plugins,
    before,
    bound: before === undefined ? undefined : bound(before),
  });
  return { pulumi, plugins };
}

/** Before rungs were written down, a Pulumi on PATH meant the official plugins. */
function formerPlugins(known: Choices | undefined): RungOf<"plugins"> | undefined {
  if (known === undefined) return undefined;
  return known.rungs?.plugins ?? ("path" in installedPulumi(false) ? "official" : "stand-in");
}

/** Those that go with the plugins, where these are settled. */
function commandLines(plugins: RungOf<"plugins"> | undefined): Rung<"pulumi">[] {
  const path: Rung<"pulumi"> = {
    rung: "path",
    remedy: install,
    look: () => {
      const found = installedPulumi(plugins === "stand-in");
      return Promise.resolve(
        "why" in found ? found : { what: `${found.path} ${found.version}, found on PATH` },
      );
    },
  };
  const download: Rung<"pulumi"> = {
    rung: "download",
    remedy: reach,
    look: async (isPatient) => {
      const release = pulumiRelease();
      const why = await missingRelease(release, isPatient);
      return why === undefined ? { what: `the official ${release.version}, downloaded` } : { why };
    },
  };
  const build: Rung<"pulumi"> = {
    rung: "build",
    remedy: "",
    look: () => Promise.resolve({ what: `${pulumiRelease().version}, built from its Go module` }),
  };
  return plugins === "official" ? [path, download] : [path, download, build];
}

/** @param atOnce whether to look before being asked */
function officialPlugins(atOnce: boolean): Rung<"plugins"> {
  const early = atOnce ? missingPlugins(false) : undefined;
  return {
    rung: "official",
    remedy: `${install} ${reach}`,
    look: async (isPatient) => {
      const why = await ((isPatient ? undefined : early) ?? missingPlugins(isPatient));
      return why === undefined ? { what: "the official ones" } : { why };
    },
  };
}

const standIns: Rung<"plugins"> = {
  rung: "stand-in",
  remedy: "",
  look: () => Promise.resolve({ what: "stand-ins, for the local stack alone" }),
};
