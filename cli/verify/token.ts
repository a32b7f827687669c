import { readFile } from "node:fs/promises";
import * as z from "zod";
import type { StackOutputs } from "../../infra/outputs.ts";
import { CannotRun, oneLine } from "../errors.ts";

const claims = z.object({
  iss: z.string(),
  sub: z.string(),
  aud: z.union([z.string(), z.array(z.string())]),
  exp: z.number(),
  email: z.string().optional(),
});

/** Where a token may come from, first one first. */
export interface TokenSource {
  /** --identity-token-file */
  file?: string | undefined;
  /** SIGSTORE_ID_TOKEN, the variable that cosign reads too. */
  variable?: string | undefined;
}

/**
 * An OIDC token for Fulcio: a given one, else one that the cluster makes for the probe's service
 * account. The token never appears in an error's text.
 */
export async function identityToken(source: TokenSource, outputs: StackOutputs): Promise<string> {
  if (source.file !== undefined) {
    const text = await readFile(source.file, "utf8").catch((error: unknown) => {
      throw new CannotRun(`--identity-token-file ${source.file}: ${oneLine(error)}`);
    });
    return checked(text.trim(), `the file ${source.file}`);
  }
  if (source.variable) return checked(source.variable.trim(), "SIGSTORE_ID_TOKEN");
  if (!outputs.issuers.some((issuer) => issuer.type === "kubernetes")) {
    throw new Error(
      "no identity token: no issuer of type kubernetes is configured, so give " +
        "--identity-token-file or SIGSTORE_ID_TOKEN",
    );
  }
  return checked(await requestToken(outputs.probe), "the cluster's TokenRequest");
}

/** Asks Kubernetes for a ten-minute token (TokenRequest API) with the ambient kubeconfig. */
async function requestToken(probe: StackOutputs["probe"]): Promise<string> {
  const { CoreV1Api } = await import("@kubernetes/client-node");
  const { loadKubeConfig } = await import("../../infra/observe/kubeconfig.ts");
  const config = loadKubeConfig();
  const reply = await config
    .makeApiClient(CoreV1Api)
    .createNamespacedServiceAccountToken({
      name: probe.serviceAccount,
      namespace: probe.namespace,
      body: { spec: { audiences: [probe.audience], expirationSeconds: 600 } },
    })
    .catch((error: unknown) => {
      throw new Error(
        `no token for ${probe.namespace}/${probe.serviceAccount} from cluster ` +
          `"${config.getCurrentContext()}"`,
        { cause: error },
      );
    });
  return reply.status?.token ?? "";
}

/** Whom Fulcio will name in the certificate, as far as the token tells; "issuer" always. */
export function expectedIdentity(
  token: string,
  outputs: StackOutputs,
): { issuer: string; name: string | undefined } {
  const { iss, sub, email } = readClaims(token);
  const type = outputs.issuers.find((issuer) => issuer.issuer === iss)?.type;
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(sub);
  if (type === "kubernetes" && account !== null) {
    const [, namespace, name] = account;
    return {
      issuer: iss,
      name: `https://kubernetes.io/namespaces/${namespace}/serviceaccounts/${name}`,
    };
  }
  return { issuer: iss, name: type === "email" ? email : undefined };
}

function checked(token: string, origin: string): string {
  let expiry: number;
  try {
    expiry = readClaims(token).exp;
  } catch {
    throw new Error(`${origin} holds no OIDC token (a JWT with iss, sub, aud and exp)`);
  }
  if (expiry * 1000 < Date.now()) {
    throw new Error(`the token from ${origin} expired at ${new Date(expiry * 1000).toISOString()}`);
  }
  return token;
}

function readClaims(token: string): z.infer<typeof claims> {
  const [, payload] = token.split(".");
  return claims.parse(JSON.parse(Buffer.from(payload ?? "", "base64url").toString()));
}
