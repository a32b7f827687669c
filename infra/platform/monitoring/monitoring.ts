import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { replaceable } from "../../protect.ts";
import { metricsPortName } from "../prober/prober.ts";
import { proberLabels as labels } from "../tuf/labels.ts";
import { dashboard } from "./dashboard.ts";
import { monitoringApi as apiVersion } from "./preflight.ts";
import { ruleGroups } from "./rules.ts";

export interface MonitoringArgs {
  /** The stack's prefix. */
  stack: string;
  /** Of the probe. */
  namespace: pulumi.Input<string>;
}

/** The label by which Grafana's sidecar finds dashboards (grafana/helm-charts, sidecar.dashboards). */
const sidecar = { grafana_dashboard: "1" };

/** Tells Prometheus and Grafana of the probe, by the kinds of the Prometheus operator. */
export class Monitoring extends pulumi.ComponentResource {
  constructor(name: string, args: MonitoringArgs, opts?: pulumi.ComponentResourceOptions) {
    super("anchorhold:platform:Monitoring", name, {}, { ...opts, ...replaceable });
    const { stack, namespace } = args;
    const parts = { parent: this, ...replaceable };
    const metadata = { name: "anchorhold", namespace, labels };
    new k8s.apiextensions.CustomResource(
      `${name}-service`,
      {
        ...{ apiVersion, kind: "ServiceMonitor", metadata },
        spec: {
          selector: { matchLabels: labels },
          endpoints: [{ port: metricsPortName, interval: "15s" }],
        },
      },
      parts,
    );
    new k8s.apiextensions.CustomResource(
      `${name}-rules`,
      { apiVersion, kind: "PrometheusRule", metadata, spec: ruleGroups(stack) },
      parts,
    );
    new k8s.core.v1.ConfigMap(
      `${name}-dashboard`,
      {
        metadata: { name: "anchorhold-dashboard", namespace, labels: { ...labels, ...sidecar } },
        data: { "anchorhold.json": dashboard() },
      },
      parts,
    );
    this.registerOutputs();
  }
}
