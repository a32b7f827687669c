import { find, type Plain, type PlainObject } from "../plain.ts";
import { isScaffold } from "../release.ts";
import { resourceRule } from "../rule.ts";

/** Switches of the whole chart; most are on when a Release says nothing. */
const always = [
  "tuf.enabled",
  "copySecretJob.enabled",
  "copySecretJob.copySecretCronJob.enabled",
  "secrets.rekor.create",
  "secrets.fulcio.create",
  "secrets.ctlog.create",
  "secrets.tsa.create",
];

/** Switches of a part, which count where the part is on. */
const ofPart: Readonly<Record<string, readonly string[]>> = {
  fulcio: ["fulcio.createcerts.enabled"],
  ctlog: ["ctlog.createtree.enabled", "ctlog.createctconfig.enabled"],
  trillian: ["trillian.createdb.enabled"],
};

/** Signers that keep their key: on a file that is a Secret, or in a KMS or HSM. */
const signers: Readonly<Record<string, { path: string; kept: RegExp }>> = {
  fulcio: {
    path: "fulcio.server.args.certificateAuthority",
    kept: /^(fileca|kmsca|pkcs11ca|googleca)$/,
  },
  rekor: { path: "rekor.server.signer", kept: /^(\/.+|[a-z]+kms:\/\/.+)$/ },
  tsa: { path: "tsa.server.args.signer", kept: /^(file|kms)$/ },
};

function at(values: Plain, path: string): Plain {
  return find(values, ...path.split("."));
}

/** A part that a Release does not switch off counts as on, as in the chart. */
function isOn(values: Plain, part: string): boolean {
  return at(values, `${part}.enabled`) !== false;
}

function problems(values: PlainObject): string[] {
  const parts = Object.keys({ ...ofPart, ...signers }).filter((part) => isOn(values, part));
  const switches = [...always, ...parts.flatMap((part) => ofPart[part] ?? [])];
  const on = switches
    .filter((path) => at(values, path) !== false)
    .map((path) => `values.${path} is not false`);
  const lost = parts.flatMap((part) => {
    const signer = signers[part];
    const chosen = signer && at(values, signer.path);
    return signer === undefined || (typeof chosen === "string" && signer.kept.test(chosen))
      ? []
      : [`values.${signer.path} names no signer that keeps its key`];
  });
  return [...on, ...lost];
}

export const generatorsOff = resourceRule<object>({
  name: "generators-off",
  description:
    "Switch off every part of the chart that makes keys, certificates, trees or a TUF root, and name a signer whose key is kept: what the chart makes, an upgrade makes anew.",
  check: (resource) =>
    isScaffold(resource)
      ? problems((resource.props["values"] ?? {}) as PlainObject).map(
          (line) => `Release ${resource.name}: ${line}`,
        )
      : [],
});
