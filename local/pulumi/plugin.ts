import type { Props } from "./values.ts";

/** A resource as the engine names it in every request. */
export interface Resource {
  urn: string;
  name: string;
  type: string;
}

export interface CheckRequest extends Resource {
  olds: Props;
  news: Props;
  randomSeed: Uint8Array;
}

export interface CheckResult {
  inputs: Props;
  failures?: { property: string; reason: string }[];
}

export interface DiffRequest extends Resource {
  id: string;
  /** The state, that is the old outputs. */
  olds: Props;
  oldInputs: Props;
  news: Props;
  ignoreChanges: string[];
}

export type DiffKind =
  "ADD" | "ADD_REPLACE" | "DELETE" | "DELETE_REPLACE" | "UPDATE" | "UPDATE_REPLACE";

export interface PropertyDiff {
  kind: DiffKind;
  inputDiff?: boolean;
}

export interface DiffResult {
  changes: boolean;
  replaces?: string[];
  diffs?: string[];
  deleteBeforeReplace?: boolean;
  detailed?: { [path: string]: PropertyDiff };
  /** Whether `detailed` is complete, so that the engine shows it and nothing else. */
  hasDetailed?: boolean;
}

export interface CreateRequest extends Resource {
  inputs: Props;
  preview: boolean;
  /** Seconds; 0 when the program set no custom time-out. */
  timeout: number;
  log: (text: string) => void;
}

export interface UpdateRequest extends CreateRequest {
  id: string;
  olds: Props;
  ignoreChanges: string[];
}

export interface DeleteRequest extends Resource {
  id: string;
  olds: Props;
  timeout: number;
  log: (text: string) => void;
}

export interface ReadRequest extends Resource {
  id: string;
  olds: Props;
  inputs: Props;
}

/** A resource as it stands; an empty id says that it is gone. */
export interface State {
  id: string;
  outputs: Props;
  inputs?: Props;
}

/** A stand-in for one official plugin: its decisions and its work, free of gRPC. */
export interface Plugin {
  name: "tls" | "random" | "command" | "kubernetes";
  /** Configuration that the official plugin adds to what the program gave. */
  checkConfig?(news: Props): Props;
  /** How the official plugin answers whether its configuration has changed. */
  diffConfig: "unimplemented" | "unknown" | "compares";
  /** What it answers to Configure. */
  accepts: { secrets?: boolean; outputs?: boolean; autonaming?: boolean };
  configure?(args: Props): Promise<void>;
  check(request: CheckRequest): Promise<CheckResult> | CheckResult;
  diff(request: DiffRequest): Promise<DiffResult> | DiffResult;
  create(request: CreateRequest): Promise<State>;
  update(request: UpdateRequest): Promise<Props>;
  read(request: ReadRequest): Promise<State>;
  delete(request: DeleteRequest): Promise<void>;
  cancel?(): void;
  /** Removes temporary files. */
  close?(): void;
}
