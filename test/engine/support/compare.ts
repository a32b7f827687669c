import { prune } from "../../../local/pulumi/kubernetes/liveDiff.ts";
import {
  isObject,
  isSecret,
  unwrap,
  type Props,
  type Value,
} from "../../../local/pulumi/values.ts";
import type { Answer, RecordedCall } from "./recordings.ts";

/** Values that are random or the time; they are compared by type, secretness and form. */
const VOLATILE: readonly [RegExp, RegExp | undefined][] = [
  [/(^|\.)__fieldManager$/, /^pulumi-kubernetes-[0-9a-f]{8}$/],
  [/\.privateKeyPem(Pkcs8)?$/, undefined],
  [/\.privateKeyOpenssh$/, undefined],
  [/\.publicKeyPem$/, /^-----BEGIN PUBLIC KEY-----\n[A-Za-z0-9+/=\n]+-----END PUBLIC KEY-----\n$/],
  [/\.publicKeyOpenssh$/, /^ecdsa-sha2-nistp\d{3} [A-Za-z0-9+/=]+\n$/],
  [/\.publicKeyFingerprintMd5$/, /^[0-9a-f]{2}(:[0-9a-f]{2}){15}$/],
  [/\.publicKeyFingerprintSha256$/, /^SHA256:[A-Za-z0-9+/]{43}$/],
  [/(^|\.)id$/, /^([0-9a-f]{40}|counter[0-9a-f]{8}|none|[\w-]{6}|04da6b54.*)$/],
  [/\.bcryptHash$/, /^\$2a\$10\$[./A-Za-z0-9]{53}$/],
  [/\.result$/, /^[A-Za-z0-9]{24}$/],
  [/\.hex$/, /^[0-9a-f]{8}$/],
  [/\.dec$/, /^\d+$/],
  [/\.b64Std$/, /^[A-Za-z0-9+/]{6}==$/],
  [/\.b64Url$/, /^[\w-]{6}$/],
];

const AUTONAME = /^(own|key)-[0-9a-f]{8}$/;

/** Places where two values differ, as one line each. */
export function differences(want: Value, have: Value, path: string): string[] {
  if (isSecret(want) !== isSecret(have)) return [`${path}: secretness`];
  if (isSecret(want)) return differences(unwrap(want), unwrap(have), path);
  if (isObject(want) && isObject(have)) return objectDifferences(want, have, path);
  if (Array.isArray(want) && Array.isArray(have)) {
    if (want.length !== have.length) return [`${path}: ${want.length} items, not ${have.length}`];
    return want.flatMap((item, i) => differences(item, have[i] ?? null, `${path}[${i}]`));
  }
  if (want === have || sameForm(want, have, path)) return [];
  return [`${path}: ${JSON.stringify(want)}, not ${JSON.stringify(have)}`];
}

function objectDifferences(want: Props, have: Props, path: string): string[] {
  return [...new Set([...Object.keys(want), ...Object.keys(have)])].flatMap((key) => {
    const here = path === "" ? key : `${path}.${key}`;
    if (!(key in have)) return [`${here}: missing`];
    if (!(key in want)) return [`${here}: not recorded`];
    return differences(want[key] ?? null, have[key] ?? null, here);
  });
}

function sameForm(want: Value, have: Value, path: string): boolean {
  if (typeof want !== "string" || typeof have !== "string") return false;
  if (/metadata\.name$/.test(path)) return AUTONAME.test(want) && AUTONAME.test(have);
  const rule = VOLATILE.find(([place]) => place.test(path));
  if (rule === undefined) return false;
  const [, form] = rule;
  return form === undefined ? blanked(want, have) : form.test(want) && form.test(have);
}

/** The recordings have the label of a private key in place of its text. */
function blanked(want: string, have: string): boolean {
  const label = /^<(.+) PEM>\n$/.exec(want)?.[1];
  const begin = `-----BEGIN ${label}-----\n`;
  return label !== undefined && have.startsWith(begin) && have.endsWith(`-----END ${label}-----\n`);
}

/**
 * The part of a Kubernetes object's state that is the plugin's own work. The rest of the live object
 * is the API server's (defaults, status, managed fields), which the cluster in memory does not play.
 */
function ownPart(state: Value): Value {
  if (!isObject(state) || !isObject(state["__inputs"])) return state;
  const { __inputs, __fieldManager, __initialApiVersion, ...live } = state;
  return {
    ...(prune(live, __inputs) as Props),
    __inputs,
    __fieldManager: __fieldManager ?? null,
    __initialApiVersion: __initialApiVersion ?? null,
  };
}

function comparable(call: RecordedCall, response: Props): Props {
  const sorted = (key: string): Props =>
    Array.isArray(response[key]) ? { [key]: [...response[key]].sort() } : {};
  const properties =
    call.plugin === "kubernetes" && "properties" in response
      ? { properties: ownPart(response["properties"] ?? null) }
      : {};
  // An empty message says nothing.
  const empty = Object.entries(response).filter(
    ([, value]) => !(isObject(value) && Object.keys(value).length === 0),
  );
  return { ...Object.fromEntries(empty), ...sorted("replaces"), ...sorted("diffs"), ...properties };
}

/** Where the stand-in's answer to a recorded call differs from the official plugin's. */
export function compareAnswer(call: RecordedCall, answer: Answer): string[] {
  if (call.errors.length > 0 || answer.errors.length > 0) {
    return differences(call.errors, answer.errors, "errors");
  }
  return differences(comparable(call, call.response), comparable(call, answer.response), "");
}
