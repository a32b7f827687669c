import type { Config } from "../../config.ts";
import { UserError } from "../../errors.ts";

/** ServiceMonitor and PrometheusRule (github.com/prometheus-operator/prometheus-operator). */
export const monitoringApi = "monitoring.coreos.com/v1";

/** @throws UserError where the operator's kinds are asked for and the cluster has them not */
export function assertMonitoring(monitoring: Config["monitoring"], served: boolean): void {
  if (monitoring === "prometheus-operator" && !served)
    throw new UserError(
      `This update is refused; nothing was changed: the cluster does not serve ${monitoringApi}, so it ` +
        "has no ServiceMonitors and PrometheusRules. Install the Prometheus operator, or set " +
        "anchorhold:monitoring to auto or none.",
    );
}
