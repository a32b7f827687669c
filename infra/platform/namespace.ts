import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { trustOptions } from "../trust/record.ts";
import { podSecurityLabels } from "./podSecurity.ts";

/**
 * A namespace of the stack. Each component has one of its own, so that a role in one reads no
 * other's keys; it is protected, because what makes trust lives in it, and takes no pod that does
 * not keep the "restricted" Pod Security Standard.
 */
export function namespace(
  name: string,
  labels: Record<string, string>,
  opts?: pulumi.CustomResourceOptions,
): k8s.core.v1.Namespace {
  return new k8s.core.v1.Namespace(
    name,
    { metadata: { name, labels: { ...labels, ...podSecurityLabels } } },
    { ...opts, ...trustOptions },
  );
}
