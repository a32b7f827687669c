import { texts, unknown, type Plain } from "../plain.ts";
import { isRelease } from "../release.ts";
import { resourceRule, stackRule, type Resource } from "../rule.ts";

const privateKey = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----/;
/** `scheme://user:password@host`. */
const credentials = /\w:\/\/[^\s/:@]+:[^\s/@]+@/;
/** A run that may be base64 of a PEM. */
const base64Run = /[A-Za-z0-9+/_-]{40,}={0,2}/g;
/** Values under such names are secrets whatever they look like. */
const secretName = /(password|passwd|passphrase|token|api[-_]?key|private[-_]?key([-_]?pem)?)$/i;

const why = "Helm keeps values in the cluster in clear text; give the name of a Secret instead.";

function decoded(text: string): string[] {
  return (text.match(base64Run) ?? []).map((run) => Buffer.from(run, "base64").toString("latin1"));
}

/** What a text looks like, if it is a secret by itself; base64 is looked into, twice. */
function secretKind(text: string, depth = 2): string | undefined {
  if (privateKey.test(text)) return "a private key";
  if (credentials.test(text)) return "a URL with a password";
  if (depth === 0) return undefined;
  return decoded(text.replaceAll(/\s/g, ""))
    .map((inner) => secretKind(inner, depth - 1))
    .find((kind) => kind !== undefined);
}

function problem(place: string, text: string): string | undefined {
  const name = place.split(".").at(-1) ?? "";
  const kind = secretKind(text) ?? (secretName.test(name) && text !== "" ? "a secret" : undefined);
  return kind === undefined ? undefined : `${place} is or holds ${kind}`;
}

/** What a Release tells Helm: all its inputs, since `valueYamlFiles` and others are values as well. */
function told({ props }: Resource): { place: string; text: string }[] {
  return Object.entries(props).flatMap(([key, value]) => texts(value, key));
}

export const valuesWithoutSecrets = resourceRule<object>({
  name: "values-without-secrets",
  description: `Take the private key, password or token out of the Release's values: ${why}`,
  check: (resource) =>
    isRelease(resource)
      ? told(resource)
          .map(({ place, text }) => problem(place, text))
          .filter((line) => line !== undefined)
          .map((line) => `Release ${resource.name}: ${line}`)
      : [],
});

const keyOutputs = ["privateKeyPem", "privateKeyPemPkcs8", "privateKeyOpenssh"];
/** A shorter one would be found by chance. */
const shortest = 12;

/** What of a made secret would give it away: of a PEM its longest line, since it can be wrapped anew. */
function needle(secret: string): string {
  const lines = secret.split("\n").filter((line) => !line.startsWith("-----"));
  return lines.reduce((longest, line) => (line.length > longest.length ? line : longest), "");
}

function madeSecrets({ type, name, props }: Resource): { name: string; secret: string }[] {
  const outputs =
    type === "tls:index/privateKey:PrivateKey"
      ? keyOutputs.map((key) => props[key])
      : type === "random:index/randomPassword:RandomPassword"
        ? [props["result"]]
        : [];
  const isMade = (value: Plain): value is string =>
    typeof value === "string" && value !== unknown && needle(value).length >= shortest;
  return outputs.filter(isMade).map((secret) => ({ name, secret }));
}

function holds(text: string, secret: string): boolean {
  const found = needle(secret);
  return [text, ...decoded(text)].some((one) => one.includes(found));
}

export const valuesWithoutMadeSecrets = stackRule<object>({
  name: "values-without-made-secrets",
  description: `Take the stack's own key or password out of the Release's values: ${why}`,
  check: (resources) => {
    const secrets = resources.flatMap(madeSecrets);
    return resources
      .filter(isRelease)
      .flatMap((release) =>
        told(release).flatMap(({ place, text }) =>
          secrets
            .filter(({ secret }) => holds(text, secret))
            .map(({ name }) => `Release ${release.name}: ${place} holds what ${name} has made`),
        ),
      );
  },
});
