import { createHash, createPrivateKey, sign } from "node:crypto";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { X509Certificate } from "node:crypto";
import { leafHash } from "../../../infra/observe/merkle.ts";
import { treeHeadInput } from "../../../infra/observe/sth.ts";
import type { StackOutputs } from "../../../infra/outputs.ts";
import { documents } from "../../../infra/trust/documents.ts";
import { logIdOf } from "../../../infra/trust/keyMaterial.ts";
import type { LogRecord } from "../../../infra/trust/records.ts";
import { sha256, signRoot, signSnapshot, signTargets } from "../../../infra/trust/tuf/metadata.ts";
import { repositoryFiles, revisionHash } from "../../../infra/trust/tuf/repository.ts";
import { signTimestamp, snapshotMeta } from "../../../infra/trust/tuf/timestamp.ts";
import { ecKeyPair, fulcioCaRecord, logRecord, startOf, tsaRecord } from "../trust/fixture.ts";

const inAYear = new Date(Date.now() + 365 * 86_400_000);

/**
 * A stand-in for the read side of an instance: one HTTP server with the answers of Fulcio, the CT
 * log, Rekor and TUF for one generation of real keys. `answers` (path → text) may be changed to
 * see what the checks make of it.
 */
export class InstanceStandIn {
  readonly answers: Record<string, string> = {};
  outputs!: StackOutputs;
  readonly #server = createServer(((request, response) => {
    const answer = this.answers[request.url ?? ""];
    response.writeHead(answer === undefined ? 404 : 200).end(answer);
  }) satisfies RequestListener);

  async open(): Promise<this> {
    await new Promise<void>((done) => this.#server.listen(0, "127.0.0.1", done));
    const url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    const [ctKey, rekorKey] = [ecKeyPair(), ecKeyPair()];
    const ctLog = ownLog(logRecord(1, `${url}/ct-1`), ctKey, "ct-1");
    const rekor = ownLog(logRecord(1, url), rekorKey, "rekor-1.example.test");
    const [fulcioCa, tsa] = [await fulcioCaRecord(1), await tsaRecord(1)];
    this.outputs = this.publish(url, {
      fulcioCa: { ...fulcioCa, uri: url },
      ctLog,
      rekor,
      tsa: { ...tsa, uri: url },
    });
    this.answerFulcio(fulcioCa.chain);
    this.answerCtLog(ctKey.privateKeyPem, fulcioCa.chain);
    this.answerRekor(rekor, rekorKey.privateKeyPem);
    return this;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  private answerFulcio(chain: string[]): void {
    this.answers["/api/v2/trustBundle"] = JSON.stringify({ chains: [{ certificates: chain }] });
    this.answers["/api/v2/configuration"] = JSON.stringify({
      issuers: [{ issuerUrl: "https://issuer.example.test", audience: "sigstore" }],
    });
  }

  private answerCtLog(privateKey: string, chain: string[]): void {
    const head = {
      tree_size: 3,
      timestamp: Date.now(),
      sha256_root_hash: leafHash(Buffer.from("any")).toString("base64"),
      tree_head_signature: "",
    };
    const signature = sign("sha256", treeHeadInput(head), privateKey);
    const prefix = Buffer.of(4, 3, 0, signature.length);
    head.tree_head_signature = Buffer.concat([prefix, signature]).toString("base64");
    this.answers["/ct-1/ct/v1/get-sth"] = JSON.stringify(head);
    const root = new X509Certificate(chain.at(-1)!).raw.toString("base64");
    this.answers["/ct-1/ct/v1/get-roots"] = JSON.stringify({ certificates: [root] });
  }

  /** A log of two entries, of which the second is asked for. */
  private answerRekor(record: LogRecord, privateKey: string): void {
    const [first, body] = [leafHash(Buffer.from("first")), Buffer.from("second")];
    const root = createHash("sha256")
      .update(Buffer.of(1))
      .update(first)
      .update(leafHash(body))
      .digest();
    const text = `${record.origin} - ${record.treeId}\n2\n${root.toString("base64")}\n`;
    const hint = Buffer.from(record.logId, "base64").subarray(0, 4);
    const signature = sign("sha256", Buffer.from(text), createPrivateKey(privateKey));
    const signed = Buffer.concat([hint, signature]).toString("base64");
    const checkpoint = `${text}\n— ${record.origin} ${signed}\n`;
    const rootHash = root.toString("hex");
    this.answers["/api/v1/log/publicKey"] = record.publicKeyPem;
    this.answers["/api/v1/log"] = JSON.stringify({
      rootHash,
      treeSize: 2,
      signedTreeHead: checkpoint,
      treeID: record.treeId,
    });
    const inclusionProof = {
      checkpoint,
      hashes: [first.toString("hex")],
      logIndex: 1,
      rootHash,
      treeSize: 2,
    };
    this.answers["/api/v1/log/entries?logIndex=1"] = JSON.stringify({
      uuid: { body: body.toString("base64"), verification: { inclusionProof } },
    });
  }

  private publish(
    url: string,
    one: {
      fulcioCa: StackOutputs["records"]["fulcioCa"][string];
      ctLog: LogRecord;
      rekor: LogRecord;
      tsa: StackOutputs["records"]["tsa"][string];
    },
  ): StackOutputs {
    const issuer = "https://issuer.example.test";
    const files = documents({
      records: { fulcioCa: [one.fulcioCa], ctLog: [one.ctLog], rekor: [one.rekor], tsa: [one.tsa] },
      rekor: one.rekor,
      tsa: one.tsa,
      fulcioUrl: url,
      signIn: issuer,
      operator: "example",
    });
    const keys = { root: ecKeyPair(), targets: ecKeyPair(), online: ecKeyPair() };
    const initialRoot = this.serveTuf(files, keys);
    const { apiVersion, generation, source, start } = one.rekor;
    const base = { apiVersion, generation, source, start };
    const online = keys.online.publicKeyPem;
    return {
      mirror: { url, rootUrl: `${url}/1.root.json`, rootSha256: sha256(initialRoot) },
      services: { fulcio: url, rekor: url, ctLog: `${url}/ct-1`, tsa: url },
      issuers: [{ issuer, clientId: "sigstore", type: "email" }],
      probe: { namespace: "probe", serviceAccount: "probe", audience: "sigstore" },
      revision: revisionHash(files),
      records: {
        fulcioCa: { "1": one.fulcioCa },
        ctLog: { "1": one.ctLog },
        rekor: { "1": one.rekor },
        tsa: { "1": one.tsa },
        tufRoot: {
          "1": {
            ...base,
            rootKeyPem: keys.root.publicKeyPem,
            targetsKeyPem: keys.targets.publicKeyPem,
          },
        },
        tufOnline: { "1": { ...base, snapshotKeyPem: online, timestampKeyPem: online } },
      },
      prefix: "test",
      clusterUid: "a-cluster",
      leadTimeSeconds: 90,
      life: {
        fulcioCa: inUse(),
        ctLog: inUse(),
        rekor: inUse(),
        tsa: inUse(),
        tufRoot: inUse(),
        tufOnline: inUse(),
      },
      tuf: {
        version: 1,
        revision: revisionHash(files),
        expires: start,
        timestampLifeSeconds: 7 * 86_400,
      },
      initialRoot,
    };
  }

  private serveTuf(
    targetFiles: ReturnType<typeof documents>,
    keys: Record<"root" | "targets" | "online", ReturnType<typeof ecKeyPair>>,
  ): string {
    const common = { version: 1, expires: inAYear };
    const root = signRoot({
      ...common,
      root: { keys: [keys.root.publicKeyPem], threshold: 1 },
      targets: [keys.targets.publicKeyPem],
      snapshot: [keys.online.publicKeyPem],
      timestamp: [keys.online.publicKeyPem],
      signers: [keys.root],
    });
    const targets = signTargets({ ...common, targets: targetFiles, signer: keys.targets });
    const snapshot = signSnapshot({
      ...common,
      targets: { version: 1, content: targets },
      signer: keys.online,
    });
    const timestamp = signTimestamp({
      ...common,
      snapshot: snapshotMeta(snapshot),
      signer: keys.online,
    });
    const publications = [{ version: 1, targets, snapshot, targetFiles }];
    const files = {
      ...repositoryFiles({ roots: [root], publications }),
      "timestamp.json": timestamp,
    };
    for (const [path, content] of Object.entries(files)) this.answers[`/${path}`] = content;
    return root;
  }
}

/** A kind whose first generation is in use, and has always been. */
function inUse(): StackOutputs["life"]["fulcioCa"] {
  const seen = { at: startOf(1), checkpoints: {} };
  return {
    states: { "1": "active" },
    issues: 1,
    accepts: [1],
    readOnly: [],
    ends: {},
    distrusted: {},
    published: { "1": seen },
    switches: [{ ...seen, generation: 1 }],
  };
}

function ownLog(record: LogRecord, key: { publicKeyPem: string }, origin: string): LogRecord {
  const { publicKeyPem } = key;
  return { ...record, publicKeyPem, logId: logIdOf(publicKeyPem), origin };
}
