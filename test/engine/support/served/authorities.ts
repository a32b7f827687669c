import {
  createPrivateKey,
  generateKeyPairSync,
  X509Certificate,
  type KeyObject,
} from "node:crypto";
import { splitPem } from "../../../../cli/verify/certificates.ts";
import { NotStarted, type ContainerView } from "./container.ts";
import { json, plain, routes, type Response, type Service } from "./http.ts";
import { issueLeaf } from "./leaf.ts";

/** Every server that a URL may lead to: one for each Ready pod behind it. */
export type Dial = (url: string) => Service[];

/**
 * Fulcio with a CA in files: its chain, its issuers, and certificates that every replica of its CT
 * log has taken.
 * @throws {NotStarted} when key and chain do not belong together
 */
export function fulcio(view: ContainerView, dial: Dial): Service {
  const chain = splitPem(view.text(view.flag("--fileca-cert") ?? ""));
  const key = keyOf(view, "--fileca-key", "--fileca-key-passwd");
  requirePair(chain[0], key);
  const config = JSON.parse(view.text(view.flag("--config-path") ?? "")) as {
    OIDCIssuers: Record<string, { IssuerURL: string; ClientID: string }>;
  };
  const issuers = Object.values(config.OIDCIssuers).map(({ IssuerURL, ClientID }) => ({
    issuerUrl: IssuerURL,
    audience: ClientID,
  }));
  const ctLogUrl = view.flag("--ct-log-url") ?? "";
  return routes(
    {
      "/healthz": () => plain("ok"),
      "/api/v2/trustBundle": () => json({ chains: [{ certificates: chain }] }),
      "/api/v2/configuration": () => json({ issuers }),
    },
    { "/api/v2/signingCert": () => signingCert(chain, key, dial(ctLogUrl), new URL(ctLogUrl)) },
  );
}

/** What Fulcio answers to a request for a certificate; the timestamps of every CT log replica. */
export interface SigningCert {
  /** PEM, the leaf first. */
  chain: string[];
  scts: { id: string; timestamp: number; signature: string }[];
}

/** The leaf is a new one for a key of its own; whom it names does not matter here. */
async function signingCert(
  chain: readonly string[],
  key: KeyObject,
  ctLogs: readonly Service[],
  url: URL,
): Promise<Response> {
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const leaf = await issueLeaf(chain[0] ?? "", key, publicKey);
  const submitted = [leaf, ...chain].map((pem) => new X509Certificate(pem).raw.toString("base64"));
  const path = `${url.pathname.replace(/\/$/, "")}/ct/v1/add-chain`;
  const body = Buffer.from(JSON.stringify({ chain: submitted }));
  const answers: Response[] = [];
  for (const log of ctLogs) answers.push(await log.post(path, body));
  const refusal = answers.find(({ status }) => status !== 200);
  if (answers.length === 0 || refusal !== undefined) {
    const why =
      refusal === undefined
        ? "connection refused"
        : `HTTP ${refusal.status} ${String(refusal.body)}`;
    return json({ code: 13, message: `Error entering certificate in CTL: ${why}` }, 500);
  }
  const scts = answers.map(
    (answer) => JSON.parse(String(answer.body)) as SigningCert["scts"][number],
  );
  return json({ chain: [leaf, ...chain], scts } satisfies SigningCert);
}

/**
 * The timestamp authority's chain.
 * @throws {NotStarted} when key and leaf do not belong together
 */
export function tsa(view: ContainerView): Service {
  const chain = view.text(view.flag("--certificate-chain-path") ?? "");
  requirePair(splitPem(chain)[0], keyOf(view, "--file-signer-key-path", "--file-signer-passwd"));
  return routes({
    "/ping": () => plain("."),
    "/api/v1/timestamp/certchain": () => plain(chain),
  });
}

function keyOf(view: ContainerView, file: string, password: string): KeyObject {
  const passphrase = view.flag(password) ?? "";
  return createPrivateKey({
    key: view.text(view.flag(file) ?? ""),
    ...(passphrase === "" ? {} : { passphrase }),
  });
}

function requirePair(certificate: string | undefined, key: KeyObject): void {
  if (certificate === undefined) throw new NotStarted("the certificate chain is empty");
  if (new X509Certificate(certificate).checkPrivateKey(key)) return;
  throw new NotStarted("ecdsa public keys are not equal");
}
