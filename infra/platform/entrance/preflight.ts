import type { Exposure } from "../../config/exposure.ts";
import { reportAll } from "../../errors.ts";
import { certificateProblems, type TlsSecret } from "./certificate.ts";

/** The Secret with the certificate of the host names, where the configuration names one. */
export function certificateSecret(
  exposure: Exposure,
): { namespace: string; name: string } | undefined {
  const place = placeOf(exposure);
  const [namespace, name] = place?.split("/") ?? [];
  return namespace === undefined || name === undefined ? undefined : { namespace, name };
}

/**
 * @param secret what was found under that name
 * @throws UserError with every reason why clients would refuse the certificate
 */
export function assertCertificate(
  exposure: Exposure,
  secret: TlsSecret | undefined,
  now: Date,
): void {
  const place = placeOf(exposure);
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

function placeOf(exposure: Exposure): string | undefined {
  return exposure.type === "nodePort" ? undefined : exposure.tls?.secret;
}
