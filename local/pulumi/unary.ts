import * as grpc from "@grpc/grpc-js";
import { initFailure, InitializationError } from "./initFailure.ts";
import { StatusError } from "./statusError.ts";

/** A unary gRPC method from a function; what it throws becomes the call's status. */
export function unary<Q, R>(
  handle: (request: Q, peer: string) => Promise<R> | R,
): grpc.handleUnaryCall<Q, R> {
  return (call, callback) => {
    Promise.resolve()
      .then(() => handle(call.request, call.getPeer()))
      .then((response) => callback(null, response))
      .catch((error: unknown) => callback(asStatus(error)));
  };
}

function asStatus(error: unknown): Partial<grpc.StatusObject> {
  if (error instanceof InitializationError) return initFailure(error);
  const details = error instanceof Error ? error.message : String(error);
  return { code: error instanceof StatusError ? error.code : grpc.status.UNKNOWN, details };
}
