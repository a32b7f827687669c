import { delimiter, dirname, join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { commandPlugin } from "./command.ts";
import type { MemoryCluster } from "./kubernetes/memoryCluster.ts";
import { kubernetesPlugin } from "./kubernetes/plugin.ts";
import { addLanguageHost } from "./language.ts";
import type { Plugin } from "./plugin.ts";
import { addPlugin } from "./pluginServer.ts";
import { randomPlugin } from "./random.ts";
import { tlsPlugin } from "./tls.ts";

export interface HostOptions {
  cluster: "real" | MemoryCluster;
  /** Path of the helm 3 binary. */
  helm: string;
  /** The program's directory; relative chart paths and commands start there. */
  directory?: string;
  /** The environment of the program, of commands and of helm. */
  env?: NodeJS.ProcessEnv;
  /** Where the program's own output goes. */
  output?: { stdout: NodeJS.WritableStream; stderr: NodeJS.WritableStream };
  witness?: Witness;
}

/** Sees each step of an update as it is taken: for tests that end one at a chosen moment. */
export interface Witness {
  /** Stands between the engine and a plugin. */
  plugin(plugin: Plugin): Plugin;
  /** Stands between the program and the engine: the address to give to the program. */
  monitor(address: string): Promise<string>;
}

export interface Host {
  /** What makes the `pulumi` command use this host. */
  env: Record<string, string>;
  /** Ends at once whatever still runs of the program and its commands. */
  close(): Promise<void>;
}

/** What the engine looks for on PATH: the stand-in that starts policy packs. */
const launchers = join(import.meta.dirname, "path");

// A state with a large chart's values passes gRPC's usual 4 MiB.
const MESSAGE_LIMITS = {
  "grpc.max_receive_message_length": -1,
  "grpc.max_send_message_length": -1,
};

/** Serves on a free port of the loopback interface. */
async function serve(
  add: (server: grpc.Server) => void,
): Promise<{ server: grpc.Server; port: number }> {
  const server = new grpc.Server(MESSAGE_LIMITS);
  add(server);
  const port = await new Promise<number>((resolve, reject) => {
    const credentials = grpc.ServerCredentials.createInsecure();
    server.bindAsync("127.0.0.1:0", credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { server, port };
}

/**
 * Starts the stand-ins for Pulumi's Node.js language host and its plugins tls, random, command and
 * kubernetes, all in this process, for machines that cannot download the official ones.
 */
export async function startHost(options: HostOptions): Promise<Host> {
  const { cluster, helm, witness } = options;
  const env = options.env ?? process.env;
  const output = options.output ?? { stdout: process.stdout, stderr: process.stderr };
  const directory = options.directory ?? process.cwd();
  const plugins: Record<Plugin["name"], () => Plugin> = {
    tls: () => tlsPlugin,
    random: () => randomPlugin,
    command: () => commandPlugin({ env, directory }),
    kubernetes: () => kubernetesPlugin({ cluster, helm, directory, env }),
  };
  const closing: (() => void)[] = [];
  const served = await Promise.all(
    Object.entries(plugins).map(async ([name, make]) => ({
      name,
      ...(await serve((server) =>
        closing.push(addPlugin(server, () => witness?.plugin(make()) ?? make())),
      )),
    })),
  );
  const language = await serve((server) =>
    closing.push(addLanguageHost(server, env, output, witness)),
  );
  return {
    env: {
      PULUMI_DEBUG_PROVIDERS: served.map(({ name, port }) => `${name}:${port}`).join(","),
      PULUMI_DEBUG_LANGUAGES: `nodejs:${language.port}`,
      // The engine would look for the plugins of the state and try to download them for 2.5 s.
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      // A policy pack renders Releases with the same Helm as the plugin.
      PATH: [launchers, dirname(helm), env.PATH ?? ""].join(delimiter),
    },
    close: () => {
      for (const { server } of [...served, language]) server.forceShutdown();
      for (const close of closing) close();
      return Promise.resolve();
    },
  };
}
