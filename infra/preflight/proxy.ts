import { UserError } from "../errors.ts";
import { oneLine } from "../observe/errors.ts";
import { useProxy } from "../observe/network.ts";

/**
 * Lets the program's own calls go through the proxy of its environment.
 * @throws UserError when the environment names none by a URL
 */
export function useOwnProxy(): void {
  try {
    // How this machine gets out is its own affair, not the stack's.
    // eslint-disable-next-line no-restricted-properties
    useProxy(process.env);
  } catch (error) {
    throw new UserError(`This update is refused; nothing was changed: ${oneLine(error)}`);
  }
}
