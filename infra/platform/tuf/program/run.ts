import { renewState, type StateRequest } from "../../../trust/tuf/timestampState.ts";
import { ApiError, type ConfigMap } from "./configMap.ts";

/** The object that holds the signed timestamps. */
export interface StateObject {
  read(): Promise<ConfigMap>;
  /** Fails with an `ApiError` 409 when somebody else has written since it was read. */
  replace(object: ConfigMap): Promise<void>;
}

/** Two signers meet at most: the scheduled one and the one of an update. */
const attempts = 5;

/**
 * Signs once. The signer that loses a race reads again, since the winner may have signed a newer
 * snapshot.
 *
 * @returns one line for the log
 * @throws RefusedSigning, or an error of the API
 */
export async function run(
  object: StateObject,
  request: Omit<StateRequest, "data" | "now">,
  clock: () => Date = () => new Date(),
): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const read = await object.read().catch((error: unknown) => {
      throw explained(error);
    });
    const change = renewState({ ...request, data: read.data ?? {}, now: clock() });
    if (change.data === undefined) return change.message;
    try {
      await object.replace({ ...read, data: { ...change.data } });
      return change.message;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409 || attempt === attempts) throw error;
    }
  }
}

function explained(error: unknown): unknown {
  if (!(error instanceof ApiError) || error.status !== 404) return error;
  const remedy = "Run `pulumi up --refresh`: it makes the object anew and signs.";
  return new Error(`${error.message}\n${remedy}`, { cause: error });
}
