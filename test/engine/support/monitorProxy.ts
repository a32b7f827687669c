import * as grpc from "@grpc/grpc-js";
import services from "@pulumi/pulumi/proto/resource_grpc_pb.js";
import pb from "@pulumi/pulumi/proto/resource_pb.js";

const unlimited = {
  "grpc.max_receive_message_length": -1,
  "grpc.max_send_message_length": -1,
};

const asIs = (bytes: Buffer): Buffer => bytes;

/**
 * Stands between a program and the engine's resource monitor. Every call goes through untouched;
 * `registered` is told the URN of a resource when the engine has answered its registration and the
 * program has not heard the answer yet. By then the engine has written its state: it does that
 * before it lets the program go on (pulumi, resource/deploy/step_executor.go).
 */
export class MonitorProxy {
  private readonly registered: (urn: string) => Promise<void>;
  private readonly closing: (() => void)[] = [];

  constructor(registered: (urn: string) => Promise<void>) {
    this.registered = registered;
  }

  /** Serves the monitor at `address` once more; returns where. */
  async serve(address: string): Promise<string> {
    const engine = new grpc.Client(address, grpc.credentials.createInsecure(), unlimited);
    const server = new grpc.Server(unlimited);
    const { ResourceMonitorService: service } = services as unknown as {
      ResourceMonitorService: grpc.ServiceDefinition;
    };
    const methods = Object.entries(service).filter(
      ([, { requestStream, responseStream }]) => !requestStream && !responseStream,
    );
    server.addService(
      Object.fromEntries(methods.map(([name, method]) => [name, { ...method, ...passing }])),
      Object.fromEntries(methods.map(([name, { path }]) => [name, this.forward(engine, path)])),
    );
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    this.closing.push(() => {
      server.forceShutdown();
      engine.close();
    });
    return `127.0.0.1:${port}`;
  }

  close(): void {
    for (const close of this.closing) close();
  }

  private forward(engine: grpc.Client, path: string): grpc.handleUnaryCall<Buffer, Buffer> {
    return (call, reply) => {
      engine.makeUnaryRequest(path, asIs, asIs, call.request, call.metadata, (error, answer) => {
        const told =
          error === null && path.endsWith("/RegisterResource") && answer !== undefined
            ? this.registered(pb.RegisterResourceResponse.deserializeBinary(answer).getUrn())
            : Promise.resolve();
        told.then(
          () => reply(error, answer),
          (failure: unknown) => reply({ details: String(failure), code: grpc.status.ABORTED }),
        );
      });
    };
  }
}

const passing = {
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
};
