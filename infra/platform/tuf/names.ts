/** The mirror's Service and its port; the chart has no part in them. */
export const mirrorService = { name: "tuf", port: "http" } as const;

/**
 * Its Service for TLS, where a Route re-encrypts. A second one: OpenShift makes the certificate when
 * the Service is there, and pods that hold it must be ready before the first Service leads to them.
 */
export const tlsServiceName = "tuf-tls";
