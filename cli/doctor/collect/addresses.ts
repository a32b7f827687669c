import type { StackOutputs } from "../../../infra/outputs.ts";
import { oneLine } from "../../errors.ts";
import type { Address } from "../evidence.ts";
import { ask } from "./ask.ts";
import { isServed } from "./served.ts";

/** What clients ask first of each service, by the service's name. */
function pathsOf({ mirror, services, records, life }: StackOutputs): [string, string][] {
  const tsa = services.tsa.replace(/\/api\/v1\/timestamp\/?$/, "");
  const served = (kind: "ctLog" | "rekor") =>
    Object.entries(records[kind]).filter(([n]) => isServed(life[kind].states[n]));
  return [
    ["tuf", `${mirror.url}/timestamp.json`],
    ["fulcio", `${services.fulcio}/api/v2/configuration`],
    ["tsa", `${tsa}/api/v1/timestamp/certchain`],
    ...served("ctLog").map(([, { baseUrl }]): [string, string] => [
      "ctlog",
      `${baseUrl}/ct/v1/get-sth`,
    ]),
    ...served("rekor").map(([n, { baseUrl }]): [string, string] => [
      `rekor-${n}`,
      `${baseUrl}/api/v1/log`,
    ]),
  ];
}

/** Asks the addresses that clients are told, from this machine. */
export async function collectAddresses(outputs: StackOutputs): Promise<Address[]> {
  return await Promise.all(
    pathsOf(outputs).map(async ([name, url]): Promise<Address> => {
      try {
        await ask(url, AbortSignal.timeout(10_000));
        return { name, url };
      } catch (error) {
        return { name, url, trouble: oneLine(error) };
      }
    }),
  );
}
