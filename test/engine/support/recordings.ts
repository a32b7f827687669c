import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import services from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import pb from "@pulumi/pulumi/proto/provider_pb.js";
import type * as rpc from "@pulumi/pulumi/proto/provider_pb.js";
import { fromStruct, toStruct, type Props } from "../../../local/pulumi/values.ts";

export const recordingsDir = join(import.meta.dirname, "../fixtures/recordings");

/** What the official plugins answered, in the order of the official engine's calls. */
export const recordingFiles = [
  "01-create",
  "02-noop-preview",
  "03-note-preview",
  "04-note-up",
  "05-cn-preview",
  "06-gen-preview",
  "07-gen-up",
  "08-refresh-after-delete",
  "09-up-repairs",
  "10-bad-chart",
  "11-await-fails",
  "12-destroy",
] as const;

export interface RecordedRequest {
  urn: string;
  name: string;
  type: string;
  id?: string;
  olds?: Props;
  news?: Props;
  oldInputs?: Props;
  properties?: Props;
  inputs?: Props;
  args?: Props;
  preview?: boolean;
  randomSeed?: string;
}

/** One call; `response` and `errors` are Protobuf JSON. */
export interface RecordedCall {
  file: string;
  index: number;
  plugin: string;
  method: string;
  request: RecordedRequest;
  response: Props;
  errors: string[];
}

interface Line {
  metadata: { name: string };
  method: string;
  request?: RecordedRequest;
  response?: Props;
  errors?: string[];
}

export function readRecording(file: string): RecordedCall[] {
  const lines = readFileSync(join(recordingsDir, `${file}.jsonl`), "utf8")
    .trim()
    .split("\n");
  return lines.map((text, index) => {
    const { metadata, method, request, response, errors } = JSON.parse(text) as Line;
    return {
      file,
      index,
      plugin: metadata.name,
      method: method.split("/").at(-1) ?? "",
      request: request ?? { urn: "", name: "", type: "" },
      response: response ?? {},
      errors: errors ?? [],
    };
  });
}

/** The stand-in's answer in the same form as a recorded one. */
export interface Answer {
  response: Props;
  errors: string[];
}

type Client = InstanceType<typeof services.ResourceProviderClient>;
type Unary<Q, R> = (
  request: Q,
  callback: (error: grpc.ServiceError | null, response: R) => void,
) => void;

/** A connection to one served plugin. */
export class PluginClient {
  private readonly client: Client;

  constructor(port: string) {
    const limits = { "grpc.max_receive_message_length": -1 };
    const credentials = grpc.credentials.createInsecure();
    this.client = new services.ResourceProviderClient(`127.0.0.1:${port}`, credentials, limits);
  }

  /** Sends a recorded request. */
  async replay(call: RecordedCall): Promise<Answer> {
    try {
      return { response: await this.send(call), errors: [] };
    } catch (error) {
      const { code, details } = error as grpc.ServiceError;
      const name = (grpc.status[code] ?? "")
        .toLowerCase()
        .replace(/(^|_)(.)/g, (_, _u, c: string) => c.toUpperCase());
      return { response: {}, errors: [`rpc error: code = ${name} desc = ${details}`] };
    }
  }

  cancel(): Promise<void> {
    return new Promise((resolve) => {
      this.client.cancel(new empty.Empty(), () => resolve());
    });
  }

  close(): void {
    this.client.close();
  }

  private unary<Q, R>(method: Unary<Q, R>, request: Q): Promise<R> {
    return new Promise((resolve, reject) => {
      method(request, (error, response) => (error === null ? resolve(response) : reject(error)));
    });
  }

  private async send(call: RecordedCall): Promise<Props> {
    const { request } = call;
    const { client } = this;
    switch (call.method) {
      case "CheckConfig":
        return checked(
          await this.unary(
            (message, done) => client.checkConfig(message, done),
            checkRequest(request),
          ),
        );
      case "Check":
        return checked(
          await this.unary((message, done) => client.check(message, done), checkRequest(request)),
        );
      case "DiffConfig":
        return differed(
          await this.unary(
            (message, done) => client.diffConfig(message, done),
            diffRequest(request),
          ),
        );
      case "Diff":
        return differed(
          await this.unary((message, done) => client.diff(message, done), diffRequest(request)),
        );
      case "Configure": {
        const message = new pb.ConfigureRequest().setArgs(toStruct(request.args ?? {}));
        return configured(
          await this.unary((message, done) => client.configure(message, done), message),
        );
      }
      case "Create": {
        const answer = await this.unary<rpc.CreateRequest, rpc.CreateResponse>(
          (message, done) => client.create(message, done),
          named(new pb.CreateRequest(), request)
            .setProperties(toStruct(request.properties ?? {}))
            .setPreview(request.preview ?? false),
        );
        return given({ id: answer.getId(), properties: fromStruct(answer.getProperties()) });
      }
      case "Update": {
        const answer = await this.unary<rpc.UpdateRequest, rpc.UpdateResponse>(
          (message, done) => client.update(message, done),
          named(new pb.UpdateRequest(), request)
            .setId(request.id ?? "")
            .setOlds(toStruct(request.olds ?? {}))
            .setNews(toStruct(request.news ?? {}))
            .setOldInputs(toStruct(request.oldInputs ?? {}))
            .setPreview(request.preview ?? false),
        );
        return { properties: fromStruct(answer.getProperties()) };
      }
      case "Read": {
        const answer = await this.unary<rpc.ReadRequest, rpc.ReadResponse>(
          (message, done) => client.read(message, done),
          named(new pb.ReadRequest(), request)
            .setId(request.id ?? "")
            .setProperties(toStruct(request.properties ?? {}))
            .setInputs(toStruct(request.inputs ?? {})),
        );
        const parts = { properties: answer.getProperties(), inputs: answer.getInputs() };
        return given({
          id: answer.getId(),
          ...(parts.properties && { properties: fromStruct(parts.properties) }),
          ...(parts.inputs && { inputs: fromStruct(parts.inputs) }),
        });
      }
      case "Delete":
        await this.unary(
          (message, done) => client.delete(message, done),
          named(new pb.DeleteRequest(), request)
            .setId(request.id ?? "")
            .setProperties(toStruct(request.properties ?? {})),
        );
        return {};
      default:
        throw new Error(`no recording has ${call.method}`);
    }
  }
}

/** Protobuf JSON leaves out what is empty or false. */
function given(response: Props): Props {
  const entries = Object.entries(response).filter(
    ([, value]) => value !== "" && value !== false && !(Array.isArray(value) && value.length === 0),
  );
  return Object.fromEntries(entries);
}

interface Named {
  setUrn(value: string): unknown;
  setName(value: string): unknown;
  setType(value: string): unknown;
}

function named<M extends Named>(message: M, request: RecordedRequest): M {
  message.setUrn(request.urn);
  message.setName(request.name);
  message.setType(request.type);
  return message;
}

function checkRequest(request: RecordedRequest): rpc.CheckRequest {
  return named(new pb.CheckRequest(), request)
    .setOlds(toStruct(request.olds ?? {}))
    .setNews(toStruct(request.news ?? {}))
    .setRandomseed(request.randomSeed ?? "");
}

function diffRequest(request: RecordedRequest): rpc.DiffRequest {
  return named(new pb.DiffRequest(), request)
    .setId(request.id ?? "")
    .setOlds(toStruct(request.olds ?? {}))
    .setNews(toStruct(request.news ?? {}))
    .setOldInputs(toStruct(request.oldInputs ?? {}));
}

function checked(answer: rpc.CheckResponse): Props {
  const failures = answer
    .getFailuresList()
    .map((failure) => ({ property: failure.getProperty(), reason: failure.getReason() }));
  return given({ inputs: fromStruct(answer.getInputs()), failures });
}

function configured(answer: rpc.ConfigureResponse): Props {
  return given({
    acceptSecrets: answer.getAcceptsecrets(),
    acceptResources: answer.getAcceptresources(),
    acceptOutputs: answer.getAcceptoutputs(),
    supportsPreview: answer.getSupportspreview(),
    supportsAutonamingConfiguration: answer.getSupportsAutonamingConfiguration(),
  });
}

const kindNames = Object.fromEntries(
  Object.entries(pb.PropertyDiff.Kind).map(([name, number]) => [number, name]),
);

function differed(answer: rpc.DiffResponse): Props {
  const details: [string, Props][] = [];
  answer.getDetaileddiffMap().forEach((detail, path) => {
    const kind = kindNames[detail.getKind()] ?? "";
    details.push([
      path,
      given({ kind: kind === "ADD" ? "" : kind, inputDiff: detail.getInputdiff() }),
    ]);
  });
  const changes = ["", "DIFF_NONE", "DIFF_SOME"][answer.getChanges()] ?? "";
  return given({
    changes,
    replaces: answer.getReplacesList().sort(),
    diffs: answer.getDiffsList().sort(),
    deleteBeforeReplace: answer.getDeletebeforereplace(),
    ...(details.length > 0 && { detailedDiff: Object.fromEntries(details) }),
    hasDetailedDiff: answer.getHasdetaileddiff(),
  });
}
