import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleFromJSON, bundleToJSON, type SerializedBundle } from "@sigstore/bundle";
import { SigningConfig, TrustedRoot } from "@sigstore/protobuf-specs";
import { bundleBuilderFromSigningConfig } from "@sigstore/sign";
import { initTUF, type TUF } from "@sigstore/tuf";
import { toSignedEntity, toTrustMaterial, Verifier } from "@sigstore/verify";
import { writeFile } from "node:fs/promises";
import { newToken, type Identity, type Stack } from "./stack.ts";

/** A program that signs and verifies with the @sigstore packages and knows mirror and first root. */
export class SigstoreJs {
  private readonly stack: Stack;
  private readonly folder: string;

  private constructor(stack: Stack, folder: string) {
    this.stack = stack;
    this.folder = folder;
  }

  static async start(stack: Stack): Promise<SigstoreJs> {
    const folder = await mkdtemp(join(tmpdir(), "anchorhold-js-"));
    await writeFile(join(folder, "1.root.json"), stack.outputs.initialRoot);
    return new SigstoreJs(stack, folder);
  }

  async sign(data: Buffer): Promise<string> {
    const text = await (await this.tuf()).getTarget("signing_config.v0.2.json");
    const builder = bundleBuilderFromSigningConfig({
      signingConfig: SigningConfig.fromJSON(JSON.parse(text)),
      identityProvider: { getToken: () => newToken(this.stack.outputs) },
      bundleType: "messageSignature",
    });
    return JSON.stringify(bundleToJSON(await builder.create({ data })));
  }

  /** @throws {Error} when the bundle does not verify. */
  async verify(data: Buffer, bundle: string, { name, issuer }: Identity): Promise<void> {
    const text = await (await this.tuf()).getTarget("trusted_root.json");
    const trust = toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(text)));
    const entity = toSignedEntity(bundleFromJSON(JSON.parse(bundle) as SerializedBundle), data);
    const exactly = new RegExp(`^${name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`);
    new Verifier(trust, { timestampThreshold: 2 }).verify(entity, {
      subjectAlternativeName: exactly,
      extensions: { issuer },
    });
  }

  dispose(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }

  private tuf(): Promise<TUF> {
    return initTUF({
      mirrorURL: this.stack.outputs.mirror.url,
      rootPath: join(this.folder, "1.root.json"),
      cachePath: join(this.folder, "cache"),
    });
  }
}
