import type {
  PolicyConfigSchema,
  PolicyResourceOptions,
  ResourceValidationPolicy,
  StackValidationPolicy,
} from "@pulumi/policy";
import { plainProps, type PlainObject } from "./plain.ts";

/** What a rule sees of a resource: inputs, or for a rule of the whole stack its outputs. */
export interface Resource {
  type: string;
  name: string;
  /** Name of the stack. */
  stack: string;
  props: PlainObject;
  opts: Pick<PolicyResourceOptions, "protect" | "ignoreChanges">;
}

/** What every rule says of itself. */
interface Rule {
  name: string;
  /** One sentence that tells what to do. */
  description: string;
  /** Its own settings, each with a default. */
  config?: PolicyConfigSchema["properties"];
}

/** One line a violation: where it is and what is wrong, never a value. */
export type Violations = string[] | Promise<string[]>;

export interface ResourceRule<C> extends Rule {
  check(resource: Resource, config: C): Violations;
}

export interface StackRule<C> extends Rule {
  check(resources: Resource[], config: C): Violations;
}

/** A rule that looks at one resource at a time, before it is created or changed. */
export function resourceRule<C extends object>(rule: ResourceRule<C>): ResourceValidationPolicy {
  return {
    ...described(rule),
    validateResource: async (args, report) => {
      const config = settings<C>(rule, args.getConfig<Partial<C>>());
      for (const line of await rule.check(resource(args), config)) report(line);
    },
  };
}

/** A rule that looks at all resources together, when the preview or update has seen them all. */
export function stackRule<C extends object>(rule: StackRule<C>): StackValidationPolicy {
  return {
    ...described(rule),
    validateStack: async (args, report) => {
      const config = settings<C>(rule, args.getConfig<Partial<C>>());
      for (const line of await rule.check(args.resources.map(resource), config)) report(line);
    },
  };
}

function described({ name, description, config }: Rule) {
  return {
    name,
    description,
    enforcementLevel: "mandatory" as const,
    ...(config === undefined ? {} : { configSchema: { properties: config } }),
  };
}

function settings<C extends object>({ config = {} }: Rule, given: Partial<C>): C {
  const defaults = Object.entries(config).map(([key, schema]) => [key, schema.default as unknown]);
  return { ...Object.fromEntries(defaults), ...given } as C;
}

type Seen = {
  type: string;
  name: string;
  urn: string;
  props: Record<string, unknown>;
  opts: PolicyResourceOptions;
};

function resource({ type, name, urn, props, opts }: Seen): Resource {
  return { type, name, stack: stackOf(urn), props: plainProps(props), opts };
}

/** `urn:pulumi:<stack>::<project>::<types>::<name>`. */
function stackOf(urn: string): string {
  return /^urn:pulumi:([^:]+)::/.exec(urn)?.[1] ?? "";
}
