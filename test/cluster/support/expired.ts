import { CoreV1Api, type KubeConfig } from "@kubernetes/client-node";
import type { StackOutputs } from "../../../infra/outputs.ts";
import { stateName } from "../../../infra/platform/tuf/signer.ts";
import { tufNamespace } from "../../../infra/scaffold/names.ts";
import { keyJson } from "../../../infra/trust/tuf/signature.ts";
import { readTimestamp, signTimestamp } from "../../../infra/trust/tuf/timestamp.ts";
import { timestampKey } from "../../../infra/trust/tuf/timestampState.ts";

/** Signs the timestamp of what is served as one that ran out an hour ago, as if nobody had renewed it. */
export async function expireTimestamp(config: KubeConfig, outputs: StackOutputs): Promise<void> {
  const core = config.makeApiClient(CoreV1Api);
  const namespace = tufNamespace(outputs.prefix);
  const { items } = await core.listNamespacedSecret({ namespace });
  const [secret] = items.filter(({ data }) => data?.["key.pem"] !== undefined);
  const privateKeyPem = Buffer.from(secret?.data?.["key.pem"] ?? "", "base64").toString();
  const signer = { privateKeyPem, publicKeyPem: keyJson(privateKeyPem).keyval.public };
  const state = { namespace, name: stateName };
  const map = await core.readNamespacedConfigMap(state);
  const key = timestampKey(outputs.tuf.version);
  const was = readTimestamp(map.data?.[key] ?? "");
  if (was === undefined) throw new Error(`no ${key} in ${stateName}`);
  const { version, snapshot } = was;
  const expires = new Date(Date.now() - 3_600_000);
  const expired = signTimestamp({ version, snapshot, expires, signer });
  await core.replaceNamespacedConfigMap({
    ...state,
    body: { ...map, data: { ...map.data, [key]: expired } },
  });
}
