// Which rung of the ladder meets each need of `npm start`: looked at side by side, before anything
// is made or changed.
import { LocalError } from "../errors.ts";
import type { Report } from "../report.ts";
import { knownChoices } from "../stack/choices.ts";
import { chooseChartRung, type ChartSource } from "./chart.ts";
import { chooseClusterRung } from "./cluster.ts";
import { chooseImagesRung } from "./images.ts";
import { choosePulumiRungs } from "./pulumi.ts";
import type { Rungs, Switches } from "./rungs.ts";

export interface LadderOptions extends Omit<Switches, "cluster"> {
  cluster?: "kind" | "node";
  /** A context of the caller's kubeconfig. */
  context?: string;
}

export interface Chosen {
  rungs: Rungs;
  context?: string;
  chart: ChartSource;
}

/**
 * Chooses a rung for every need, as before or the first that is there, and says so in one line each.
 * @throws LocalError when what is asked for, or what must stay, is not there; nothing was changed
 */
export async function chooseRungs(options: LadderOptions, report: Report): Promise<Chosen> {
  const known = knownChoices();
  if (options.context !== undefined && options.cluster !== undefined)
    throw new LocalError(
      `--context ${options.context} --cluster ${options.cluster}: one cluster, please. Leave out one.`,
    );
  const context = options.context ?? known?.context;
  const switches: Switches = {
    ...options,
    ...(options.context === undefined ? {} : { cluster: "context" }),
  };
  const named = process.env.ANCHORHOLD_CHART === "" ? undefined : process.env.ANCHORHOLD_CHART;
  const [{ pulumi, plugins }, [cluster, images], { taken: chart, source }] = await Promise.all([
    choosePulumiRungs(switches, known),
    chooseClusterRung(switches, known, context).then(async (taken) => {
      return [taken, await chooseImagesRung(taken.rung, switches, known)] as const;
    }),
    chooseChartRung(switches, known, named),
  ]);
  for (const { line } of [pulumi, plugins, cluster, images, chart]) report(line);
  return {
    rungs: {
      pulumi: pulumi.rung,
      plugins: plugins.rung,
      cluster: cluster.rung,
      images: images.rung,
      chart: chart.rung,
    },
    ...(cluster.rung === "context" && context !== undefined ? { context } : {}),
    chart: source,
  };
}
