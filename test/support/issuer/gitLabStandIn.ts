import { createHash, randomBytes } from "node:crypto";
import type { Server } from "node:http";
import { personClaims, pipelineClaims, type Claims, type Person } from "./gitLabClaims.ts";
import { gitLabDocument } from "./gitLabDocument.ts";
import { IssuerServer, listen, type Answer } from "./issuerServer.ts";
import { SigningKey } from "./signingKey.ts";

/** How a stand-in differs from a GitLab as it is installed. */
export interface GitLabOptions {
  /** The address that it listens on; loopback if left out. */
  host?: string;
  /** Who is signed in; it approves whatever it is asked. */
  person?: Person;
  /** What the application was registered with. */
  redirectUris?: readonly string[];
}

/** What was approved once, and by whom it can be taken. */
interface Grant {
  challenge: string | undefined;
  redirectUri: string | undefined;
  nonce: string | undefined;
}

interface DeviceGrant {
  userCode: string;
  approved: boolean;
  polledAt: number;
}

export const somebody: Person = { id: 42, email: "alex@company.test", verified: true };

const refusal = (error: string): Answer => ({
  status: error === "invalid_client" ? 401 : 400,
  body: { error },
});
const hex = (bytes: number) => randomBytes(bytes).toString("hex");

/** Seconds between two questions in the device flow; GitLab's own is 5. */
const interval = 1;

/**
 * A stand-in for GitLab as an identity provider, for a public application (one that is not
 * confidential): discovery document, authorization code with PKCE, device flow, and the tokens of
 * jobs. Where GitLab shows a page and waits for a click, it goes on as if somebody had clicked.
 */
export class GitLabStandIn extends IssuerServer {
  /** The application's id, as GitLab makes them. */
  readonly clientId = hex(32);
  person: Person;
  /**
   * Whether the discovery document names the endpoint of the device flow. GitLab has the endpoint
   * since 17.1 and does not name it, so a proxy before it has to.
   */
  namesDeviceEndpoint = false;
  private readonly redirectUris: readonly string[];
  private readonly jobKey = new SigningKey();
  private readonly grants = new Map<string, Grant>();
  private readonly devices = new Map<string, DeviceGrant>();

  private constructor(server: Server, options: GitLabOptions) {
    super(server, options.host ?? "127.0.0.1");
    this.person = options.person ?? somebody;
    this.redirectUris = options.redirectUris ?? [];
    const routes = {
      "GET /oauth/authorize": (query: URLSearchParams) => this.authorize(query),
      "POST /oauth/token": (form: URLSearchParams) => this.giveToken(form),
      "POST /oauth/authorize_device": (form: URLSearchParams) => this.authorizeDevice(form),
      "GET /oauth/device": (query: URLSearchParams) => this.approveDevice(query),
    };
    this.serve(routes, () => gitLabDocument(this.url, this.namesDeviceEndpoint), [this.jobKey]);
  }

  static override async start(options: GitLabOptions | string = {}): Promise<GitLabStandIn> {
    const chosen = typeof options === "string" ? { host: options } : options;
    return new GitLabStandIn(await listen(chosen.host ?? "127.0.0.1"), chosen);
  }

  /** A job's id_token, with some claims changed. */
  jobToken(aud: string, changes: Claims = {}): string {
    return this.jobKey.token({ ...pipelineClaims(this.url, aud), ...changes });
  }

  private authorize(query: URLSearchParams): Answer {
    const redirectUri = query.get("redirect_uri") ?? "";
    if (query.get("client_id") !== this.clientId) return refusal("invalid_client");
    if (!this.redirectUris.some((one) => matches(redirectUri, one)))
      return refusal("invalid_redirect_uri");
    if (query.get("response_type") !== "code" || !isOpenId(query)) return refusal("invalid_scope");
    if (query.get("code_challenge_method") !== "S256")
      return refusal("invalid_code_challenge_method");
    const code = hex(32);
    this.grants.set(code, {
      redirectUri,
      challenge: query.get("code_challenge") ?? "",
      nonce: query.get("nonce") ?? undefined,
    });
    const back = new URL(redirectUri);
    back.searchParams.set("code", code);
    back.searchParams.set("state", query.get("state") ?? "");
    return { status: 302, headers: { Location: back.href } };
  }

  private giveToken(form: URLSearchParams): Answer {
    if (form.get("client_id") !== this.clientId) return refusal("invalid_client");
    const grantType = form.get("grant_type");
    if (grantType === "authorization_code") return this.redeem(form);
    if (grantType === "urn:ietf:params:oauth:grant-type:device_code")
      return this.redeemDevice(form);
    return refusal("unsupported_grant_type");
  }

  /** RFC 6749, section 4.1.3, and RFC 7636, section 4.6. */
  private redeem(form: URLSearchParams): Answer {
    const grant = this.grants.get(form.get("code") ?? "");
    this.grants.delete(form.get("code") ?? "");
    const verifier = form.get("code_verifier") ?? "";
    const challenge = createHash("sha256").update(verifier).digest("base64url");
    const isRight =
      grant?.challenge === challenge && grant.redirectUri === form.get("redirect_uri");
    return isRight ? this.tokens(grant.nonce) : refusal("invalid_grant");
  }

  private tokens(nonce?: string): Answer {
    const application = { clientId: this.clientId, nonce };
    return {
      body: {
        access_token: hex(32),
        token_type: "Bearer",
        expires_in: 7200,
        scope: "openid email",
        created_at: Math.floor(Date.now() / 1000),
        id_token: this.key.token(personClaims(this.url, this.person, application)),
      },
    };
  }

  /** RFC 8628, section 3.2. */
  private authorizeDevice(form: URLSearchParams): Answer {
    if (form.get("client_id") !== this.clientId) return refusal("invalid_client");
    if (!isOpenId(form)) return refusal("invalid_scope");
    const [device, userCode] = [hex(20), hex(4).toUpperCase()];
    this.devices.set(device, { userCode, approved: false, polledAt: 0 });
    const page = `${this.url}/oauth/device`;
    return {
      body: {
        device_code: device,
        user_code: userCode,
        verification_uri: page,
        verification_uri_complete: `${page}?user_code=${userCode}`,
        expires_in: 300,
        interval,
      },
    };
  }

  /** Somebody opens the page with the code, and approves. */
  private approveDevice(query: URLSearchParams): Answer {
    const device = [...this.devices.values()].find(
      ({ userCode }) => userCode === query.get("user_code"),
    );
    if (device === undefined) return { status: 404, body: "The user code is invalid" };
    device.approved = true;
    return { body: "Authorized" };
  }

  /** RFC 8628, section 3.5. */
  private redeemDevice(form: URLSearchParams): Answer {
    const code = form.get("device_code") ?? "";
    const device = this.devices.get(code);
    if (device === undefined) return refusal("invalid_grant");
    const isTooFast = Date.now() - device.polledAt < interval * 900;
    device.polledAt = Date.now();
    if (isTooFast) return refusal("slow_down");
    if (!device.approved) return refusal("authorization_pending");
    this.devices.delete(code);
    return this.tokens();
  }
}

const isOpenId = (parameters: URLSearchParams): boolean =>
  (parameters.get("scope") ?? "").split(" ").includes("openid");

/**
 * Doorkeeper's rule: the same text, or the same but for the port where the host is a loopback
 * address (RFC 8252, section 7.3); `localhost` is none.
 */
function matches(asked: string, registered: string): boolean {
  if (asked === registered) return true;
  if (!URL.canParse(asked) || !URL.canParse(registered)) return false;
  const [a, b] = [new URL(asked), new URL(registered)];
  const isLoopback = /^(127\.[\d.]+|\[::1\])$/.test(a.hostname) && a.hostname === b.hostname;
  a.port = b.port;
  return isLoopback && a.href === b.href;
}
