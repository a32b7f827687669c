import * as sdk from "@pulumi/policy";
import type {
  ResourceValidationArgs,
  ResourceValidationPolicy,
  StackValidationArgs,
  StackValidationPolicy,
} from "@pulumi/policy";
import { samples, type Sample } from "../../support/scaffoldSamples.ts";

/** A resource as a test writes it; the rest is what the engine would say. */
export interface Given {
  type: string;
  name?: string;
  props?: Record<string, unknown>;
  protect?: boolean;
  ignoreChanges?: string[];
}

/** The SDK's stand-in for a text that a preview does not know. */
export const unknownText = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Exported for tests, without a type: throws where a value is not known. */
export const { unknownCheckingProxy } = sdk as unknown as {
  unknownCheckingProxy: (props: object) => Record<string, unknown>;
};

function seen({ type, name = "one", props = {}, protect, ignoreChanges }: Given, stack: string) {
  return {
    type,
    name,
    urn: `urn:pulumi:${stack}::anchorhold::${type}::${name}`,
    props: unknownCheckingProxy(props),
    opts: {
      protect: protect ?? false,
      ignoreChanges: ignoreChanges ?? [],
      aliases: [],
      customTimeouts: { createSeconds: 0, updateSeconds: 0, deleteSeconds: 0 },
      additionalSecretOutputs: [],
    },
  };
}

function common(config: object) {
  return {
    stackTags: new Map<string, string>(),
    getConfig: <T extends object>() => config as T,
    notApplicable: (reason?: string): never => {
      throw new Error(reason);
    },
  };
}

const ofClass = { isType: () => false, asType: () => undefined };

/** What a rule says of one resource. */
export async function violations(
  policy: ResourceValidationPolicy,
  given: Given,
  { stack = "production", config = {} } = {},
): Promise<string[]> {
  const said: string[] = [];
  const args: ResourceValidationArgs = { ...seen(given, stack), ...common(config), ...ofClass };
  const { validateResource } = policy;
  if (typeof validateResource !== "function") throw new Error(`${policy.name} checks no resource`);
  await validateResource(args, (message) => said.push(message));
  return said;
}

/** What a rule says of a whole stack. */
export async function stackViolations(
  policy: StackValidationPolicy,
  given: Given[],
  { stack = "production", config = {} } = {},
): Promise<string[]> {
  const said: string[] = [];
  const args: StackValidationArgs = {
    ...common(config),
    resources: given.map((one) => ({
      ...seen(one, stack),
      ...ofClass,
      dependencies: [],
      propertyDependencies: {},
    })),
  };
  await policy.validateStack(args, (message) => said.push(message));
  return said;
}

/** A Release of the stand-in chart with these values. */
export function release(values: object, more: object = {}): Given {
  const props = { chart: "./local/chart/scaffold", name: "one", namespace: "one-ns", values };
  return { type: "kubernetes:helm.sh/v3:Release", props: { ...props, ...more } };
}

/** What the program installs, by `<exposure> <release>`. */
export const shipped: [string, Sample][] = Object.entries(samples).flatMap(([exposure, all]) =>
  all.map((sample): [string, Sample] => [`${exposure} ${sample.release}`, sample]),
);
