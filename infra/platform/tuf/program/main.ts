// Signs timestamp.json inside the cluster: started by a Job for each new publication and by a
// CronJob each day. Exit code 0: signed, or nothing to do.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { keyJson } from "../../../trust/tuf/signature.ts";
import { ConfigMapClient } from "./configMap.ts";
import { run } from "./run.ts";

const text = { type: "string" } as const;
const options = {
  /** `host:port` of the API server. */
  server: text,
  /** Folder of the service account's token. */
  account: text,
  namespace: text,
  /** Name of the ConfigMap with the signed timestamps. */
  object: text,
  /** Files: the snapshot.json to sign for, and the private key as PEM. */
  snapshot: text,
  key: text,
  /** Seconds. */
  life: text,
} as const;

async function main(): Promise<string> {
  const { values } = parseArgs({ options });
  const given = (name: keyof typeof options): string => {
    const value = values[name];
    if (value === undefined || value === "") throw new Error(`--${name} is missing`);
    return value;
  };
  const access = { server: given("server"), account: given("account") };
  const object = new ConfigMapClient(access, given("namespace"), given("object"));
  const lifeSeconds = Number(given("life"));
  if (!(lifeSeconds > 0)) throw new Error(`--life ${values.life}: must be seconds`);
  const privateKeyPem = readFileSync(given("key"), "utf8");
  const key = { privateKeyPem, publicKeyPem: keyJson(privateKeyPem).keyval.public };
  return run(object, { snapshot: readFileSync(given("snapshot"), "utf8"), key, lifeSeconds });
}

try {
  console.log(await main());
} catch (error) {
  // The message alone: a stack would say nothing more to whoever reads the pod's log.
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
