import { generateKeyPairSync, sign } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { ServerPair } from "./privateCa.ts";

const keyId = "private-issuer-1";
const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

/**
 * The least of an OpenID provider that Fulcio needs (OpenID Connect Discovery 1.0, RFC 7517), with a
 * certificate of a private CA; people's logins are no part of it.
 */
export class PrivateIssuer {
  port = 0;
  /** The paths that were asked for. */
  readonly asked: string[] = [];
  private readonly url: string;
  private readonly server: Server;
  private readonly keys = generateKeyPairSync("ec", { namedCurve: "P-256" });

  private constructor(url: string, { certificatePem: cert, privateKeyPem: key }: ServerPair) {
    this.url = url;
    this.server = createServer({ cert, key }, ({ url: path = "" }, response) => {
      this.asked.push(path);
      const document = this.document(path);
      response.writeHead(document === undefined ? 404 : 200, {
        "content-type": "application/json",
      });
      response.end(JSON.stringify(document ?? {}));
    });
  }

  /** @param url the issuer's, without a port: who calls it is led here */
  static async start(url: string, pair: ServerPair): Promise<PrivateIssuer> {
    const issuer = new PrivateIssuer(url, pair);
    await once(issuer.server.listen(0, "127.0.0.1"), "listening");
    issuer.port = (issuer.server.address() as AddressInfo).port;
    return issuer;
  }

  /** A token of ten minutes for a person whose e-mail address the issuer has verified. */
  token(email: string, audience = "sigstore"): string {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: this.url, sub: "42", aud: audience, email, email_verified: true };
    const header = { alg: "ES256", kid: keyId, typ: "JWT" };
    const text = `${base64(header)}.${base64({ ...claims, iat: now, exp: now + 600 })}`;
    const key = { key: this.keys.privateKey, dsaEncoding: "ieee-p1363" as const };
    return `${text}.${sign("sha256", Buffer.from(text), key).toString("base64url")}`;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  private document(path: string): object | undefined {
    if (path === "/keys") {
      const jwk = this.keys.publicKey.export({ format: "jwk" });
      return { keys: [{ ...jwk, kid: keyId, use: "sig", alg: "ES256" }] };
    }
    if (path !== "/.well-known/openid-configuration") return undefined;
    return {
      issuer: this.url,
      authorization_endpoint: `${this.url}/authorize`,
      token_endpoint: `${this.url}/token`,
      jwks_uri: `${this.url}/keys`,
      response_types_supported: ["code"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["ES256"],
    };
  }
}
