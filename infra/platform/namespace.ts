import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { trustOptions } from "../trust/record.ts";
import { guarded, type Guard } from "./guard.ts";
import { podSecurityLabels } from "./podSecurity.ts";

/** A namespace, and what has to be there before its first pod. */
export interface Home {
  namespace: k8s.core.v1.Namespace;
  guard: pulumi.Resource;
}

/**
 * A namespace of the stack. Each component has one of its own, so that a role in one reads no
 * other's keys; it is protected, because what makes trust lives in it, and takes no pod that does
 * not keep the "restricted" Pod Security Standard, its quota and its network policies.
 */
export function namespace(name: string, guard: Guard, opts?: pulumi.CustomResourceOptions): Home {
  const made = new k8s.core.v1.Namespace(
    name,
    { metadata: { name, labels: { ...guard.labels, ...podSecurityLabels } } },
    { ...opts, ...trustOptions },
  );
  return { namespace: made, guard: guarded(name, made.metadata.name, guard, opts) };
}
