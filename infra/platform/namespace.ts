import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { trustOptions } from "../trust/record.ts";

/**
 * A namespace of the stack. Each component has one of its own, so that a role in one reads no
 * other's keys; it is protected, because what makes trust lives in it.
 */
export function namespace(
  name: string,
  labels: Record<string, string>,
  opts?: pulumi.CustomResourceOptions,
): k8s.core.v1.Namespace {
  return new k8s.core.v1.Namespace(
    name,
    { metadata: { name, labels } },
    { ...opts, ...trustOptions },
  );
}
