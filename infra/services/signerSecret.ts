import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { replaceable } from "../protect.ts";

/**
 * A Secret with a name that Pulumi makes: a new key is a new name, the service rolls to it, and the
 * old Secret goes only afterwards. So no pod ever reads half of one generation and half of another.
 */
export function signerSecret(
  name: string,
  namespace: pulumi.Input<string>,
  stringData: pulumi.Input<Record<string, pulumi.Input<string>>>,
  opts?: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  const secret = new k8s.core.v1.Secret(
    name,
    { metadata: { namespace }, stringData },
    { ...opts, ...replaceable },
  );
  return secret.metadata.name;
}
