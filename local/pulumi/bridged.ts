import type {
  CreateRequest,
  DiffRequest,
  DiffResult,
  Plugin,
  ReadRequest,
  State,
} from "./plugin.ts";
import { equal, mapProps, plain, secret, UNKNOWN, type Props, type Value } from "./values.ts";

/**
 * What tls and random have in common: both are Terraform providers behind Pulumi's bridge, their
 * resources live in the state alone, and every change of an input replaces the resource.
 */
export interface BridgedType {
  /** Values that the outputs show for inputs that the program left out. */
  defaults: Props;
  /** Optional inputs whose absence the bridge notes in `__pulumi_raw_state_delta`. */
  optional: readonly string[];
  /** Outputs that the resource computes. */
  computed: readonly string[];
  /** Those of them that are secret. */
  secrets: readonly string[];
  /** The Terraform schema's version, where it is not 0. */
  schemaVersion?: string;
  /** Makes the resource from its inputs, defaults included. */
  generate(inputs: Props): Promise<{ id: string; outputs: Props }>;
}

export type BridgedTypes = Readonly<Record<string, BridgedType>>;

function typeOf(types: BridgedTypes, name: string): BridgedType {
  const type = types[name];
  if (type !== undefined) return type;
  throw new Error(
    `The stand-in plugin does not have ${name}; it has ${Object.keys(types).join(", ")}.`,
  );
}

/** The bridge's note on how the state maps to Terraform's; in our types only nulls and maps. */
function stateDelta(type: BridgedType, inputs: Props): Props {
  const notes = type.optional.flatMap((key): [string, Value][] => {
    if (!(key in inputs)) return [[key, secret({ replace: { raw: null } })]];
    return key === "keepers" ? [[key, { map: {} }]] : [];
  });
  return { obj: notes.length === 0 ? {} : { ps: Object.fromEntries(notes) } };
}

/** The secret marks that the engine took off before it sent the state. */
function markSecrets(type: BridgedType, outputs: Props): Props {
  const marked = type.secrets
    .filter((key) => key in outputs)
    .map((key): [string, Value] => [key, secret(outputs[key] ?? null)]);
  return { ...outputs, ...Object.fromEntries(marked) };
}

function diff(request: DiffRequest): DiffResult {
  const { oldInputs, news, ignoreChanges } = request;
  const changed = [...new Set([...Object.keys(oldInputs), ...Object.keys(news)])]
    .filter((key) => !ignoreChanges.includes(key))
    .filter((key) => !equal(plain(oldInputs[key] ?? null), plain(news[key] ?? null)))
    .sort();
  return { changes: changed.length > 0, diffs: changed, replaces: changed };
}

function preview(type: BridgedType, inputs: Props): State {
  const unknown = [...type.computed, "id"].map((key): [string, Value] => [key, UNKNOWN]);
  return { id: "", outputs: { ...type.defaults, ...inputs, ...Object.fromEntries(unknown) } };
}

async function create(type: BridgedType, request: CreateRequest): Promise<State> {
  const inputs = mapProps(request.inputs, plain);
  if (request.preview) return preview(type, inputs);
  const { id, outputs } = await type.generate({ ...type.defaults, ...inputs });
  const { schemaVersion } = type;
  return {
    id,
    outputs: {
      ...(schemaVersion && { __meta: JSON.stringify({ schema_version: schemaVersion }) }),
      __pulumi_raw_state_delta: stateDelta(type, inputs),
      ...markSecrets(type, { ...type.defaults, ...inputs, ...outputs, id }),
    },
  };
}

function read(type: BridgedType, request: ReadRequest): State {
  if (Object.keys(request.olds).length === 0) {
    throw new Error(`The stand-in plugin cannot import ${request.type}.`);
  }
  const delta = { __pulumi_raw_state_delta: stateDelta(type, request.inputs) };
  const outputs = { ...markSecrets(type, request.olds), ...delta };
  return { id: request.id, outputs, inputs: request.inputs };
}

/** A stand-in plugin of such types. */
export function bridgedPlugin(name: "tls" | "random", types: BridgedTypes): Plugin {
  return {
    name,
    diffConfig: "unknown",
    accepts: { autonaming: true },
    check: ({ news, type }) => {
      typeOf(types, type);
      return { inputs: news };
    },
    diff,
    create: async (request) => create(typeOf(types, request.type), request),
    update: ({ type }) =>
      Promise.reject(new Error(`${type} has no update: every change replaces it.`)),
    read: async (request) => Promise.resolve(read(typeOf(types, request.type), request)),
    delete: () => Promise.resolve(),
  };
}
