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
import type { CheckResult, DiffResult, Plugin, Resource } from "./plugin.ts";
import { StatusError } from "./statusError.ts";
import { unary } from "./unary.ts";
import { equal, fromStruct, plainProps, toStruct } from "./values.ts";

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

/**
 * The engine starts a plugin for each provider resource, the default one and explicit ones. Attached
 * plugins share a port, so a connection stands for a process: each has its own configuration and is
 * cancelled alone.
 */
class Instances {
  private readonly make: () => Plugin;
  private readonly engine: EngineLog;
  private readonly byPeer = new Map<string, Plugin>();

  constructor(make: () => Plugin, engine: EngineLog) {
    this.make = make;
    this.engine = engine;
  }

  /** A connection's first call. */
  attach(peer: string, address: string): void {
    this.engine.connect(address);
    this.byPeer.set(peer, this.make());
  }

  /** A connection that was closed for being idle comes back from another port. */
  of(peer: string): Plugin {
    const known = this.byPeer.get(peer);
    if (known !== undefined) return known;
    const [only] = this.byPeer.size === 1 ? this.byPeer.values() : [];
    const plugin = only ?? this.make();
    this.byPeer.set(peer, plugin);
    return plugin;
  }

  log(urn: string): (text: string) => void {
    return (text) => this.engine.status(urn, text);
  }

  close(): void {
    for (const plugin of this.byPeer.values()) {
      plugin.cancel?.();
      plugin.close?.();
    }
  }
}

/** The calls that concern the plugin as a whole. */
function configuration(instances: Instances) {
  return {
    attach: unary<PluginAttach, Empty>((request, peer) => {
      instances.attach(peer, request.getAddress());
      return new empty.Empty();
    }),
    getPluginInfo: unary<Empty, PluginInfo>((_, peer) =>
      new pluginPb.PluginInfo().setVersion(version(instances.of(peer).name)),
    ),
    checkConfig: unary<rpc.CheckRequest, rpc.CheckResponse>((request, peer) => {
      const news = fromStruct(request.getNews());
      return checkResponse({ inputs: instances.of(peer).checkConfig?.(news) ?? news });
    }),
    diffConfig: unary<rpc.DiffRequest, rpc.DiffResponse>((request, peer) =>
      configDiff(instances.of(peer), request),
    ),
    configure: unary<rpc.ConfigureRequest, rpc.ConfigureResponse>(async (request, peer) => {
      const plugin = instances.of(peer);
      const { accepts } = plugin;
      await plugin.configure?.(fromStruct(request.getArgs()));
      return new pb.ConfigureResponse()
        .setAcceptsecrets(accepts.secrets ?? false)
        .setAcceptoutputs(accepts.outputs ?? false)
        .setAcceptresources(plugin.name !== "kubernetes")
        .setSupportspreview(true)
        .setSupportsAutonamingConfiguration(accepts.autonaming ?? false);
    }),
    cancel: unary<Empty, Empty>((_, peer) => {
      instances.of(peer).cancel?.();
      return new empty.Empty();
    }),
  };
}

/** The calls that decide: nothing outside changes. */
function decisions(instances: Instances) {
  return {
    check: unary<rpc.CheckRequest, rpc.CheckResponse>(async (request, peer) =>
      checkResponse(
        await instances.of(peer).check({
          ...resourceOf(request),
          olds: fromStruct(request.getOlds()),
          news: fromStruct(request.getNews()),
          randomSeed: request.getRandomseed_asU8(),
        }),
      ),
    ),
    diff: unary<rpc.DiffRequest, rpc.DiffResponse>(async (request, peer) =>
      diffResponse(
        await instances.of(peer).diff({
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
function work(instances: Instances) {
  return {
    create: unary<rpc.CreateRequest, rpc.CreateResponse>(async (request, peer) => {
      const state = await instances.of(peer).create({
        ...resourceOf(request),
        inputs: fromStruct(request.getProperties()),
        preview: request.getPreview(),
        timeout: request.getTimeout(),
        log: instances.log(request.getUrn()),
      });
      return new pb.CreateResponse().setId(state.id).setProperties(toStruct(state.outputs));
    }),
    update: unary<rpc.UpdateRequest, rpc.UpdateResponse>(async (request, peer) => {
      const outputs = await instances.of(peer).update({
        ...resourceOf(request),
        id: request.getId(),
        olds: fromStruct(request.getOlds()),
        inputs: fromStruct(request.getNews()),
        ignoreChanges: request.getIgnorechangesList(),
        preview: request.getPreview(),
        timeout: request.getTimeout(),
        log: instances.log(request.getUrn()),
      });
      return new pb.UpdateResponse().setProperties(toStruct(outputs));
    }),
    read: unary<rpc.ReadRequest, rpc.ReadResponse>(async (request, peer) => {
      const state = await instances.of(peer).read({
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
    delete: unary<rpc.DeleteRequest, Empty>(async (request, peer) => {
      await instances.of(peer).delete({
        ...resourceOf(request),
        id: request.getId(),
        olds: fromStruct(request.getProperties()),
        timeout: request.getTimeout(),
        log: instances.log(request.getUrn()),
      });
      return new empty.Empty();
    }),
  };
}

function configDiff(plugin: Plugin, request: rpc.DiffRequest): rpc.DiffResponse {
  const { DIFF_UNKNOWN, DIFF_NONE, DIFF_SOME } = pb.DiffResponse.DiffChanges;
  if (plugin.diffConfig === "unimplemented") {
    throw new StatusError(grpc.status.UNIMPLEMENTED, "DiffConfig is not implemented");
  }
  if (plugin.diffConfig === "unknown") return new pb.DiffResponse().setChanges(DIFF_UNKNOWN);
  const [olds, news] = [request.getOlds(), request.getNews()].map((one) =>
    plainProps(fromStruct(one)),
  );
  return new pb.DiffResponse().setChanges(equal(olds, news) ? DIFF_NONE : DIFF_SOME);
}

/**
 * Adds a plugin to a gRPC server; methods that the engine need not have answer UNIMPLEMENTED.
 * @returns what ends the plugin's work and frees its temporary files
 */
export function addPlugin(server: grpc.Server, make: () => Plugin): () => void {
  const instances = new Instances(make, new EngineLog());
  const implementation = {
    ...configuration(instances),
    ...decisions(instances),
    ...work(instances),
  };
  const service = services.ResourceProviderService as unknown as grpc.ServiceDefinition;
  server.addService(service, implementation);
  return () => instances.close();
}
