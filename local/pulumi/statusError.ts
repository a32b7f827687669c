import type { status } from "@grpc/grpc-js";

/** An error that is to have a certain gRPC status. */
export class StatusError extends Error {
  readonly code: status;

  constructor(code: status, message: string) {
    super(message);
    this.code = code;
  }
}
