import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type * as grpc from "@grpc/grpc-js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import type { Empty } from "google-protobuf/google/protobuf/empty_pb.js";
import services from "@pulumi/pulumi/proto/language_grpc_pb.js";
import pb from "@pulumi/pulumi/proto/language_pb.js";
import type * as rpc from "@pulumi/pulumi/proto/language_pb.js";
import pluginPb from "@pulumi/pulumi/proto/plugin_pb.js";
import type { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb.js";
import { unary } from "./unary.ts";
import { fromStruct, textAt } from "./values.ts";

/**
 * The part of the Node.js language host that a project with `typescript: false` needs: it runs the
 * program with the SDK's own runner, as the official host does. What else the service has
 * (installing, templates, code generation) answers UNIMPLEMENTED.
 */

/** The exit status by which the SDK's runner says that it has logged the program's error itself. */
const LOGGED_ERROR = 32;

/** How the SDK's runner is started for one Run request. */
export function runnerArguments(request: rpc.RunRequest, engine: string, runner: string): string[] {
  const options = fromStruct(request.getInfo()?.getOptions());
  const flags: [string, string][] = [
    ["monitor", request.getMonitorAddress()],
    ["engine", engine],
    ["organization", request.getOrganization()],
    ["project", request.getProject()],
    ["root-directory", request.getInfo()?.getRootDirectory() ?? ""],
    ["stack", request.getStack()],
    ["pwd", request.getPwd()],
    ["dry-run", request.getDryrun() ? "true" : ""],
    ["query-mode", request.getQuerymode() ? "true" : ""],
    ["parallel", String(request.getParallel())],
  ];
  return [
    ...textAt(options, "nodeargs").split(" ").filter(Boolean),
    runner,
    ...flags.filter(([, value]) => value !== "").map(([key, value]) => `--${key}=${value}`),
    request.getProgram() === "" ? "." : request.getProgram(),
    ...request.getArgsList(),
  ];
}

/** The stack's configuration as the SDK reads it, keys as `namespace:name`. */
export function runnerEnvironment(request: rpc.RunRequest): NodeJS.ProcessEnv {
  const config = Object.fromEntries(
    request
      .getConfigMap()
      .getEntryList()
      .map(([key, value]) => [key.replace(":config:", ":"), value]),
  );
  const typescript = fromStruct(request.getInfo()?.getOptions())["typescript"] !== false;
  return {
    PULUMI_CONFIG: JSON.stringify(config),
    PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
    ...(typescript && { PULUMI_NODEJS_TYPESCRIPT: "true" }),
  };
}

/** What the runner's end means to the engine; `bail` says that the error is already shown. */
export function runResponse(code: number | null, signal: string | null): rpc.RunResponse {
  if (code === 0) return new pb.RunResponse();
  if (code === LOGGED_ERROR) return new pb.RunResponse().setBail(true);
  const how =
    code === null ? `was stopped by ${signal}` : `exited with non-zero exit code: ${code}`;
  return new pb.RunResponse().setError(`Program ${how}`);
}

interface Output {
  stdout: NodeJS.WritableStream;
  stderr: NodeJS.WritableStream;
}

/** Where the program shall find the engine's resource monitor, given where it is. */
type MonitorOf = (address: string) => Promise<string>;

class LanguageHost {
  private engine = "";
  private readonly environment: NodeJS.ProcessEnv;
  private readonly output: Output;
  private readonly monitorOf: MonitorOf;
  private readonly children = new Set<ReturnType<typeof spawn>>();

  constructor(environment: NodeJS.ProcessEnv, output: Output, monitorOf: MonitorOf) {
    this.environment = environment;
    this.output = output;
    this.monitorOf = monitorOf;
  }

  handshake(request: rpc.LanguageHandshakeRequest): rpc.LanguageHandshakeResponse {
    this.engine = request.getEngineAddress();
    return new pb.LanguageHandshakeResponse();
  }

  async run(request: rpc.RunRequest): Promise<rpc.RunResponse> {
    request.setMonitorAddress(await this.monitorOf(request.getMonitorAddress()));
    const directory = request.getInfo()?.getProgramDirectory() || request.getPwd();
    const child = spawn(
      process.execPath,
      runnerArguments(request, this.engine, runnerOf(directory)),
      {
        cwd: request.getPwd(),
        env: { ...this.environment, ...runnerEnvironment(request) },
        stdio: ["ignore", "pipe", "pipe"],
        // A terminal's Ctrl-C is for the CLI alone, which then cancels what runs, in order.
        detached: true,
      },
    );
    this.children.add(child);
    child.stdout.pipe(this.output.stdout, { end: false });
    child.stderr.pipe(this.output.stderr, { end: false });
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => {
        this.children.delete(child);
        resolve(runResponse(code, signal));
      });
    });
  }

  cancel(): void {
    for (const child of this.children) child.kill("SIGTERM");
  }

  close(): void {
    for (const child of this.children) child.kill("SIGKILL");
  }
}

/** The runner of the SDK that the program itself imports. */
function runnerOf(directory: string): string {
  const resolve = createRequire(join(directory, "package.json")).resolve;
  return join(dirname(resolve("@pulumi/pulumi/package.json")), "cmd", "run");
}

/**
 * Adds the language host to a gRPC server.
 * @returns what ends a program that still runs
 */
export function addLanguageHost(
  server: grpc.Server,
  environment: NodeJS.ProcessEnv,
  output: Output,
  witness?: { monitor: MonitorOf },
): () => void {
  const host = new LanguageHost(environment, output, (address) =>
    witness === undefined ? Promise.resolve(address) : witness.monitor(address),
  );
  const implementation = {
    handshake: unary<rpc.LanguageHandshakeRequest, rpc.LanguageHandshakeResponse>((request) =>
      host.handshake(request),
    ),
    getPluginInfo: unary<Empty, PluginInfo>(() => new pluginPb.PluginInfo()),
    // None: the plugins are attached, so there is nothing to look for or to install.
    getRequiredPackages: unary<rpc.GetRequiredPackagesRequest, rpc.GetRequiredPackagesResponse>(
      () => new pb.GetRequiredPackagesResponse(),
    ),
    runtimeOptionsPrompts: unary<rpc.RuntimeOptionsRequest, rpc.RuntimeOptionsResponse>(
      () => new pb.RuntimeOptionsResponse(),
    ),
    about: unary<rpc.AboutRequest, rpc.AboutResponse>(() =>
      new pb.AboutResponse().setExecutable(process.execPath).setVersion(process.version),
    ),
    getProgramDependencies: unary<
      rpc.GetProgramDependenciesRequest,
      rpc.GetProgramDependenciesResponse
    >(() => new pb.GetProgramDependenciesResponse()),
    run: unary<rpc.RunRequest, rpc.RunResponse>((request) => host.run(request)),
    cancel: unary<Empty, Empty>(() => {
      host.cancel();
      return new empty.Empty();
    }),
  };
  const service = services.LanguageRuntimeService as unknown as grpc.ServiceDefinition;
  server.addService(service, implementation);
  return () => host.close();
}
