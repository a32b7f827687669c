import type { Exposure } from "../../config/exposure.ts";

/** The Secret with the certificate of the host names, where the configuration names one. */
export function certificateSecret(
  exposure: Exposure,
): { namespace: string; name: string } | undefined {
  const place = certificatePlace(exposure);
  const [namespace, name] = place?.split("/") ?? [];
  return namespace === undefined || name === undefined ? undefined : { namespace, name };
}

/** Its name as it is configured: NAMESPACE/NAME. */
export function certificatePlace(exposure: Exposure): string | undefined {
  return exposure.type === "nodePort" ? undefined : exposure.tls?.secret;
}
