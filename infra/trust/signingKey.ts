import type * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { trustOptions } from "./record.ts";

/**
 * A key that makes trust: generated once, protected. ECDSA P-256 throughout, since Rekor's signed
 * entry timestamps and the Java clients take no other curve.
 */
export function signingKey(name: string, opts: pulumi.CustomResourceOptions): tls.PrivateKey {
  return new tls.PrivateKey(
    name,
    { algorithm: "ECDSA", ecdsaCurve: "P256" },
    { ...opts, ...trustOptions },
  );
}
