import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { bundleToJSON, type SerializedBundle } from "@sigstore/bundle";
import { RFC3161Timestamp } from "@sigstore/core";
import {
  fulcioHandler,
  initializeCA,
  initializeCTLog,
  initializeTLog,
  initializeTSA,
  rekorHandler,
  tsaHandler,
} from "@sigstore/mock";
import {
  FulcioSigner,
  MessageSignatureBundleBuilder,
  RekorWitness,
  TSAWitness,
} from "@sigstore/sign";

/**
 * A bundle that is complete and good, but of another instance: same identity and issuer, own
 * Fulcio CA, CT log, Rekor and TSA keys. The other instance is the @sigstore project's stand-in
 * (@sigstore/mock), which signs for real with keys made here.
 */
export async function signElsewhere(data: Buffer, token: string): Promise<string> {
  const keyPair = () => generateKeyPairSync("ec", { namedCurve: "P-256" });
  const url = "http://127.0.0.1";
  const handlers = [
    fulcioHandler(await initializeCA(keyPair(), await initializeCTLog(keyPair()))),
    rekorHandler(await initializeTLog(url, keyPair())),
    tsaHandler(await initializeTSA(keyPair())),
  ];
  const server = createServer((request, response) => {
    const handler = handlers.find(({ path }) => path === request.url);
    const answer = async () => {
      if (handler === undefined) return response.writeHead(404).end();
      const body = await text(request);
      const { statusCode, response: reply, contentType } = await handler.fn(body);
      return response
        .writeHead(statusCode, { "Content-Type": contentType ?? "text/plain" })
        .end(reply);
    };
    answer().catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  try {
    const base = `${url}:${(server.address() as AddressInfo).port}`;
    const builder = new MessageSignatureBundleBuilder({
      signer: new FulcioSigner({
        fulcioBaseURL: base,
        identityProvider: { getToken: () => Promise.resolve(token) },
      }),
      witnesses: [new RekorWitness({ rekorBaseURL: base }), new TSAWitness({ tsaBaseURL: base })],
    });
    let bundle = bundleToJSON(await builder.create({ data }));
    for (let tries = 0; !hasReadableTime(bundle) && tries < 20; tries += 1)
      bundle = bundleToJSON(await builder.create({ data }));
    return complete(bundle);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/**
 * Now and then the stand-in's TSA writes the fraction of a second in a form that @sigstore/core
 * does not read: such a bundle would be refused for its form, not for its origin.
 */
function hasReadableTime(bundle: SerializedBundle): boolean {
  const [timestamp] =
    bundle.verificationMaterial.timestampVerificationData?.rfc3161Timestamps ?? [];
  try {
    const token = Buffer.from(timestamp?.signedTimestamp ?? "", "base64");
    return !Number.isNaN(RFC3161Timestamp.parse(token).signingTime.getTime());
  } catch {
    return false;
  }
}

/**
 * The stand-in's log has one entry, so index and path of its proof are empty, which protobuf's
 * JSON leaves out and sigstore-python demands: without them it would refuse for the form alone.
 */
function complete(bundle: SerializedBundle): string {
  const [entry] = bundle.verificationMaterial.tlogEntries ?? [];
  const inclusionProof = { logIndex: "0", hashes: [], ...entry?.inclusionProof };
  const tlogEntries = [{ ...entry, inclusionProof }];
  return JSON.stringify({
    ...bundle,
    verificationMaterial: { ...bundle.verificationMaterial, tlogEntries },
  });
}
