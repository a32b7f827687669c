import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleFromJSON, bundleToJSON, type SerializedBundle } from "@sigstore/bundle";
import { SigningConfig, TrustedRoot } from "@sigstore/protobuf-specs";
import { bundleBuilderFromSigningConfig } from "@sigstore/sign";
import { initTUF } from "@sigstore/tuf";
import { toSignedEntity, toTrustMaterial, Verifier } from "@sigstore/verify";
import type { StackOutputs } from "../../../infra/outputs.ts";
import { newToken, type Identity } from "./identity.ts";

/** How the program behaves where the packages' defaults are not wanted. */
export interface JsOptions {
  /** Where tokens come from; a fresh one for each signature if left out. */
  token?: () => Promise<string>;
  /** For every request: to TUF, Fulcio, Rekor and TSA. */
  requests?: { retry: number; timeout: number };
}

/** What one refresh of the TUF repository brought. */
interface Trusted {
  signingConfig(): Promise<SigningConfig>;
  trustedRoot(): Promise<TrustedRoot>;
}

/** A program that signs and verifies with the @sigstore packages and knows mirror and first root. */
export class SigstoreJs {
  private readonly outputs: StackOutputs;
  private readonly folder: string;
  private readonly options: JsOptions;

  private constructor(outputs: StackOutputs, folder: string, options: JsOptions) {
    this.outputs = outputs;
    this.folder = folder;
    this.options = options;
  }

  static async start(
    { outputs }: { outputs: StackOutputs },
    options: JsOptions = {},
  ): Promise<SigstoreJs> {
    const folder = await mkdtemp(join(tmpdir(), "anchorhold-js-"));
    await writeFile(join(folder, "1.root.json"), outputs.initialRoot);
    return new SigstoreJs(outputs, folder, options);
  }

  /** The folder of the TUF client's cache; one folder for each mirror lies in it. */
  get cache(): string {
    return join(this.folder, "cache");
  }

  async sign(data: Buffer): Promise<string> {
    return this.signWith(await this.refresh(), data);
  }

  /** @throws {Error} when the bundle does not verify. */
  async verify(data: Buffer, bundle: string, identity: Identity): Promise<void> {
    verifyWith(await (await this.refresh()).trustedRoot(), data, bundle, identity);
  }

  /**
   * What a run of `cosign sign-blob` does: one refresh, then a signature that must verify with the
   * trust that this refresh brought.
   */
  async signAndVerify(data: Buffer, identity: Identity): Promise<string> {
    const trusted = await this.refresh();
    const trustedRoot = await trusted.trustedRoot();
    const bundle = await this.signWith(trusted, data);
    verifyWith(trustedRoot, data, bundle, identity);
    return bundle;
  }

  /** A program that signs again and again with what one refresh brought. */
  async steady(): Promise<(data: Buffer) => Promise<string>> {
    const trusted = await this.refresh();
    const config = await trusted.signingConfig();
    return (data) =>
      this.signWith({ ...trusted, signingConfig: () => Promise.resolve(config) }, data);
  }

  dispose(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }

  private async signWith(trusted: Trusted, data: Buffer): Promise<string> {
    const { token = () => newToken(this.outputs), requests } = this.options;
    const builder = bundleBuilderFromSigningConfig({
      signingConfig: await trusted.signingConfig(),
      identityProvider: { getToken: token },
      bundleType: "messageSignature",
      ...(requests === undefined ? {} : { fetchOptions: requests }),
    });
    return JSON.stringify(bundleToJSON(await builder.create({ data })));
  }

  private async refresh(): Promise<Trusted> {
    const tuf = await initTUF({
      mirrorURL: this.outputs.mirror.url,
      rootPath: join(this.folder, "1.root.json"),
      cachePath: this.cache,
      ...this.options.requests,
    });
    const read = async (name: string): Promise<unknown> => JSON.parse(await tuf.getTarget(name));
    return {
      signingConfig: async () => SigningConfig.fromJSON(await read("signing_config.v0.2.json")),
      trustedRoot: async () => TrustedRoot.fromJSON(await read("trusted_root.json")),
    };
  }
}

function verifyWith(root: TrustedRoot, data: Buffer, bundle: string, who: Identity): void {
  const entity = toSignedEntity(bundleFromJSON(JSON.parse(bundle) as SerializedBundle), data);
  const exactly = new RegExp(`^${who.name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`);
  new Verifier(toTrustMaterial(root), { timestampThreshold: 2 }).verify(entity, {
    subjectAlternativeName: exactly,
    extensions: { issuer: who.issuer },
  });
}
