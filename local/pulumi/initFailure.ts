import * as grpc from "@grpc/grpc-js";
import any from "google-protobuf/google/protobuf/any_pb.js";
import status from "@pulumi/pulumi/proto/status_pb.js";
import pb from "@pulumi/pulumi/proto/provider_pb.js";
import { toStruct, type Props } from "./values.ts";

/**
 * The resource exists but did not become ready. The engine keeps it in the state with the reasons,
 * and the next update tries again.
 */
export class InitializationError extends Error {
  override readonly name = "InitializationError";
  readonly id: string;
  readonly outputs: Props;
  readonly reasons: readonly string[];

  constructor(id: string, outputs: Props, message: string, reasons: readonly string[]) {
    super(message);
    this.id = id;
    this.outputs = outputs;
    this.reasons = reasons;
  }
}

/** The gRPC status with the `ErrorResourceInitFailed` detail that the engine looks for. */
export function initFailure(error: InitializationError): Partial<grpc.StatusObject> {
  const detail = new pb.ErrorResourceInitFailed()
    .setId(error.id)
    .setProperties(toStruct(error.outputs))
    .setReasonsList([error.message, ...error.reasons]);
  const packed = new any.Any();
  packed.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const message = new status.Status().setCode(grpc.status.UNKNOWN).setMessage(error.message);
  message.addDetails(packed);
  const metadata = new grpc.Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from(message.serializeBinary()));
  return { code: grpc.status.UNKNOWN, details: error.message, metadata };
}
