import type { Exposure } from "../../config/exposure.ts";
import { reportAll, UserError } from "../../errors.ts";
import { certificatePlace } from "./secret.ts";
import { certificateProblems, type TlsSecret } from "./certificate.ts";
import { routeApi } from "./route.ts";

/**
 * @param secret what was found under that name
 * @throws UserError with every reason why clients would refuse the certificate
 */
export function assertCertificate(
  exposure: Exposure,
  secret: TlsSecret | undefined,
  now: Date,
): void {
  const place = certificatePlace(exposure);
  if (place === undefined || exposure.type === "nodePort") return;
  const { rekor, ...others } = exposure.hosts;
  const hosts = [...Object.values(others), ...Object.values(rekor)];
  const problems = certificateProblems(place, secret, hosts, now);
  if (problems.length > 0)
    throw reportAll(
      "This update is refused; nothing was changed. anchorhold:exposure.tls.secret cannot be used:",
      problems,
    );
}

/** @throws UserError on a cluster that is no OpenShift, whatever the configuration says */
export function assertRoutes(served: boolean): void {
  if (!served)
    throw new UserError(
      `This update is refused; nothing was changed: the cluster does not serve ${routeApi.apiVersion}, ` +
        "so it has no Routes. Set anchorhold:exposure.type to ingress, or name OpenShift's context in " +
        "kubernetes:context.",
    );
}
