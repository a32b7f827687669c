import type * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { replaceable } from "../protect.ts";
import { trustOptions } from "./record.ts";

/**
 * A key that makes trust: generated once, protected. ECDSA P-256 throughout, since Rekor's signed
 * entry timestamps and the Java clients take no other curve.
 *
 * A key that is destroyed leaves an empty shell: the engine refuses to delete a protected resource
 * in the same update that lifts the protection, but lets another one replace it. The shell is a key
 * of another algorithm that nothing reads.
 */
export function signingKey(
  name: string,
  opts: pulumi.CustomResourceOptions,
  { destroyed = false } = {},
): tls.PrivateKey {
  return destroyed
    ? new tls.PrivateKey(name, { algorithm: "ED25519" }, { ...opts, ...replaceable })
    : new tls.PrivateKey(
        name,
        { algorithm: "ECDSA", ecdsaCurve: "P256" },
        { ...opts, ...trustOptions },
      );
}
