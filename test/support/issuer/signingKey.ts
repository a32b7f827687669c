import { createHash, generateKeyPairSync, sign, type KeyObject } from "node:crypto";

const base64url = (value: object): string =>
  Buffer.from(JSON.stringify(value)).toString("base64url");

/** An issuer's RSA key: its public half as a JWK (RFC 7517), and tokens under it. */
export class SigningKey {
  readonly jwk: Readonly<Record<string, string>>;
  private readonly privateKey: KeyObject;

  constructor() {
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const { e = "", n = "" } = publicKey.export({ format: "jwk" });
    // RFC 7638: the thumbprint of the key's required members, in this order.
    const thumbprint = JSON.stringify({ e, kty: "RSA", n });
    const kid = createHash("sha256").update(thumbprint).digest("base64url");
    this.jwk = { kty: "RSA", kid, e, n, use: "sig", alg: "RS256" };
    this.privateKey = privateKey;
  }

  /** A JWT with these claims, signed with RS256 (RFC 7515, section 3.1). */
  token(claims: object): string {
    const header = { typ: "JWT", alg: "RS256", kid: this.jwk["kid"] };
    const input = `${base64url(header)}.${base64url(claims)}`;
    return `${input}.${sign("sha256", Buffer.from(input), this.privateKey).toString("base64url")}`;
  }
}
