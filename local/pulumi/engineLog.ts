import * as grpc from "@grpc/grpc-js";
import services from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import pb from "@pulumi/pulumi/proto/engine_pb.js";

/** Sends lines to the console of the `pulumi` command, beside the resource that they concern. */
export class EngineLog {
  private client: InstanceType<typeof services.EngineClient> | undefined;

  /** The engine's address arrives with the plugin's first call (Attach). */
  connect(address: string): void {
    this.client ??= new services.EngineClient(address, grpc.credentials.createInsecure());
  }

  /** A passing remark: replaced by the next, not part of the final output. */
  status(urn: string, text: string): void {
    const request = new pb.LogRequest()
      .setSeverity(pb.LogSeverity.INFO)
      .setUrn(urn)
      .setMessage(text)
      .setEphemeral(true);
    // A lost remark is no failure: the engine may be shutting down.
    this.client?.log(request, () => undefined);
  }
}
