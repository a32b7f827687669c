import { readFileSync } from "node:fs";
import * as grpc from "@grpc/grpc-js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import type { Empty } from "google-protobuf/google/protobuf/empty_pb.js";
import pluginPb from "@pulumi/pulumi/proto/plugin_pb.js";
import type { PluginAttach, PluginInfo } from "@pulumi/pulumi/proto/plugin_pb.js";
import services from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import pb from "@pulumi/pulumi/proto/provider_pb.js";
import type * as rpc from "@pulumi/pulumi/proto/provider_pb.js";
import { EngineLog } from "./engineLog.ts";
import { initFailure, InitializationError } from "./initFailure.ts";
import { StatusError } from "./statusError.ts";
import { fromStruct, toStruct, type Props } from "./values.ts";

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
  /** What the official plugin answers when its configuration may have changed. */
  diffConfig: "unimplemented" | "unknown" | "none";
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
}

type Handler<Q, R> = (request: Q) => Promise<R> | R;

/** A unary gRPC method from a function; what it throws becomes the call's status. */
export function unary<Q, R>(handle: Handler<Q, R>): grpc.handleUnaryCall<Q, R> {
  return (call, callback) => {
    Promise.resolve()
      .then(() => handle(call.request))
      .then((response) => callback(null, response))
      .catch((error: unknown) => callback(asStatus(error)));
  };
}

function asStatus(error: unknown): Partial<grpc.StatusObject> {
  if (error instanceof InitializationError) return initFailure(error);
  const details = error instanceof Error ? error.message : String(error);
  return { code: error instanceof StatusError ? error.code : grpc.status.UNKNOWN, details };
}

function resourceOf(request: { getUrn(): string; getName(): string; getType(): string }): Resource {
  return { urn: request.getUrn(), name: request.getName(), type: request.getType() };
}

function version(name: Plugin["name"]): string {
  const url = new URL(import.meta.resolve(`@pulumi/${name}/package.json`));
  return (JSON.parse(readFileSync(url, "utf8")) as { version: string }).version;
}

function checkResponse(result: CheckResult): rpc.CheckResponse {
  const response = new pb.CheckResponse().setInputs(toStruct(result.inputs));
  for (const { property, reason } of result.failures ?? []) {
    response.addFailures(new pb.CheckFailure().setProperty(property).setReason(reason));
  }
  return response;
}

function diffResponse(result: DiffResult): rpc.DiffResponse {
  const { DIFF_SOME, DIFF_NONE } = pb.DiffResponse.DiffChanges;
  const response = new pb.DiffResponse()
    .setChanges(result.changes ? DIFF_SOME : DIFF_NONE)
    .setReplacesList(result.replaces ?? [])
    .setDiffsList(result.diffs ?? [])
    .setDeletebeforereplace(result.deleteBeforeReplace ?? false)
    .setHasdetaileddiff(result.hasDetailed ?? false);
  for (const [path, { kind, inputDiff }] of Object.entries(result.detailed ?? {})) {
    const detail = new pb.PropertyDiff().setKind(pb.PropertyDiff.Kind[kind]);
    response.getDetaileddiffMap().set(path, detail.setInputdiff(inputDiff ?? false));
  }
  return response;
}

/** The calls that concern the plugin as a whole. */
function configuration(plugin: Plugin, engine: EngineLog) {
  const { accepts } = plugin;
  return {
    attach: unary<PluginAttach, Empty>((request) => {
      engine.connect(request.getAddress());
      return new empty.Empty();
    }),
    getPluginInfo: unary<Empty, PluginInfo>(() =>
      new pluginPb.PluginInfo().setVersion(version(plugin.name)),
    ),
    checkConfig: unary<rpc.CheckRequest, rpc.CheckResponse>((request) => {
      const news = fromStruct(request.getNews());
      return checkResponse({ inputs: plugin.checkConfig?.(news) ?? news });
    }),
    diffConfig: unary<rpc.DiffRequest, rpc.DiffResponse>(() => {
      if (plugin.diffConfig === "unimplemented") {
        throw new StatusError(grpc.status.UNIMPLEMENTED, "DiffConfig is not implemented");
      }
      const { DIFF_UNKNOWN, DIFF_NONE } = pb.DiffResponse.DiffChanges;
      return new pb.DiffResponse().setChanges(
        plugin.diffConfig === "none" ? DIFF_NONE : DIFF_UNKNOWN,
      );
    }),
    configure: unary<rpc.ConfigureRequest, rpc.ConfigureResponse>(async (request) => {
      await plugin.configure?.(fromStruct(request.getArgs()));
      return new pb.ConfigureResponse()
        .setAcceptsecrets(accepts.secrets ?? false)
        .setAcceptoutputs(accepts.outputs ?? false)
        .setAcceptresources(plugin.name !== "kubernetes")
        .setSupportspreview(true)
        .setSupportsAutonamingConfiguration(accepts.autonaming ?? false);
    }),
    cancel: unary<Empty, Empty>(() => {
      plugin.cancel?.();
      return new empty.Empty();
    }),
  };
}

/** The calls that decide: nothing outside changes. */
function decisions(plugin: Plugin) {
  return {
    check: unary<rpc.CheckRequest, rpc.CheckResponse>(async (request) =>
      checkResponse(
        await plugin.check({
          ...resourceOf(request),
          olds: fromStruct(request.getOlds()),
          news: fromStruct(request.getNews()),
          randomSeed: request.getRandomseed_asU8(),
        }),
      ),
    ),
    diff: unary<rpc.DiffRequest, rpc.DiffResponse>(async (request) =>
      diffResponse(
        await plugin.diff({
          ...resourceOf(request),
          id: request.getId(),
          olds: fromStruct(request.getOlds()),
          oldInputs: fromStruct(request.getOldInputs()),
          news: fromStruct(request.getNews()),
          ignoreChanges: request.getIgnorechangesList(),
        }),
      ),
    ),
  };
}

/** The calls that do something. */
function work(plugin: Plugin, engine: EngineLog) {
  return {
    create: unary<rpc.CreateRequest, rpc.CreateResponse>(async (request) => {
      const state = await plugin.create({
        ...resourceOf(request),
        inputs: fromStruct(request.getProperties()),
        preview: request.getPreview(),
        timeout: request.getTimeout(),
        log: (text) => engine.status(request.getUrn(), text),
      });
      return new pb.CreateResponse().setId(state.id).setProperties(toStruct(state.outputs));
    }),
    update: unary<rpc.UpdateRequest, rpc.UpdateResponse>(async (request) => {
      const outputs = await plugin.update({
        ...resourceOf(request),
        id: request.getId(),
        olds: fromStruct(request.getOlds()),
        inputs: fromStruct(request.getNews()),
        ignoreChanges: request.getIgnorechangesList(),
        preview: request.getPreview(),
        timeout: request.getTimeout(),
        log: (text) => engine.status(request.getUrn(), text),
      });
      return new pb.UpdateResponse().setProperties(toStruct(outputs));
    }),
    read: unary<rpc.ReadRequest, rpc.ReadResponse>(async (request) => {
      const state = await plugin.read({
        ...resourceOf(request),
        id: request.getId(),
        olds: fromStruct(request.getProperties()),
        inputs: fromStruct(request.getInputs()),
      });
      const response = new pb.ReadResponse().setId(state.id);
      if (state.id !== "") {
        response.setProperties(toStruct(state.outputs)).setInputs(toStruct(state.inputs ?? {}));
      }
      return response;
    }),
    delete: unary<rpc.DeleteRequest, Empty>(async (request) => {
      await plugin.delete({
        ...resourceOf(request),
        id: request.getId(),
        olds: fromStruct(request.getProperties()),
        timeout: request.getTimeout(),
        log: (text) => engine.status(request.getUrn(), text),
      });
      return new empty.Empty();
    }),
  };
}

/** Adds a plugin to a gRPC server; methods that the engine need not have answer UNIMPLEMENTED. */
export function addPlugin(server: grpc.Server, plugin: Plugin): void {
  const engine = new EngineLog();
  const implementation = {
    ...configuration(plugin, engine),
    ...decisions(plugin),
    ...work(plugin, engine),
  };
  const service = services.ResourceProviderService as unknown as grpc.ServiceDefinition;
  server.addService(service, implementation);
}
