import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { chartName, chartVersion, type ChartReference } from "./chart.ts";
import { postrenderPath } from "./postrenderFiles.ts";
import type { Values } from "./values/common.ts";

export interface ScaffoldReleaseArgs {
  /** The scaffold chart, checked before anything is registered. */
  chart: ChartReference;
  /** An existing namespace, the same as in the values. */
  namespace: pulumi.Input<string>;
  /** Helm's name of the Release: part of the pods' selectors, so it stays for ever. */
  name: string;
  /** From one of the functions in values.ts; names of Secrets, never their content. */
  values: Values;
  /** Seconds until Helm gives up waiting for pods; 600 if left out. */
  timeout?: number;
}

function source(chart: ChartReference) {
  if ("path" in chart) return { chart: chart.path };
  const { repository, version } = chart;
  if (repository.startsWith("oci://"))
    return { chart: `${repository.replace(/\/$/, "")}/${chartName}`, version };
  return { chart: chartName, version, repositoryOpts: { repo: repository } };
}

/**
 * One component of the scaffold chart as a Helm Release of its own.
 * @throws UserError when the chart is not one that the values were written for
 */
export class ScaffoldRelease extends pulumi.ComponentResource {
  readonly release: kubernetes.helm.v3.Release;

  constructor(name: string, args: ScaffoldReleaseArgs, opts?: pulumi.ComponentResourceOptions) {
    const version = chartVersion(args.chart);
    // The values are the child's inputs; here they would be in state and in every diff twice.
    super("anchorhold:scaffold:Release", name, { chart: `${chartName} ${version}` }, opts);
    this.release = new kubernetes.helm.v3.Release(
      name,
      {
        ...source(args.chart),
        name: args.name,
        namespace: args.namespace,
        values: args.values,
        postrender: postrenderPath(),
        timeout: args.timeout ?? 600,
        maxHistory: 3,
        waitForJobs: true,
        // A roll back would put a failed change's predecessor beside state that says otherwise.
        atomic: false,
      },
      { parent: this },
    );
    this.registerOutputs();
  }
}
