import * as pulumi from "@pulumi/pulumi";

/**
 * What is made anew under another name whenever its content changes: the new one is in use before
 * the old one goes. Each has something protected that depends on it, so that `destroy`, which begins
 * with what nothing depends on, meets a refusal before it reaches it.
 */
export const replaceable = { protect: false } as const;

/**
 * Protects every resource of the stack that does not say otherwise: `pulumi destroy` looks at the
 * protection of one resource after the other, so a single leaf without it would be gone before the
 * first refusal.
 */
export function protectEverything(): void {
  pulumi.runtime.registerStackTransformation(({ props, opts }) => ({
    props,
    opts: { ...opts, protect: opts.protect ?? true },
  }));
}

/**
 * Lets an update set back what somebody has changed with kubectl. By default it would end in
 * "Apply failed with 1 conflict" (server-side apply), right when a stack is to be mended.
 * https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/managing-resources-with-server-side-apply/
 */
export function takeFieldsBack(): void {
  pulumi.runtime.registerStackTransformation(({ type, props, opts }) => {
    const { metadata } = props as { metadata?: pulumi.Input<Metadata> };
    if (!type.startsWith("kubernetes:") || metadata === undefined) return undefined;
    const forced = pulumi.output(metadata).apply(({ annotations, ...rest }) => ({
      ...rest,
      annotations: { ...annotations, "pulumi.com/patchForce": "true" },
    }));
    return { props: { ...props, metadata: forced }, opts };
  });
}

interface Metadata {
  annotations?: Record<string, string>;
}
