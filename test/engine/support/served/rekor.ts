import { createHash, createPrivateKey, createPublicKey, sign, type KeyObject } from "node:crypto";
import { NotStarted, type ContainerView } from "./container.ts";
import { json, plain, routes, type Service } from "./http.ts";
import type { Trees } from "./trees.ts";

/**
 * Rekor v1: its key from the signer's file, its tree from the environment.
 * @throws {NotStarted} without key, tree or host name
 */
export function rekor(view: ContainerView, trees: Trees): Service {
  const key = createPrivateKey(view.text(view.flag("--rekor_server.signer") ?? ""));
  const treeId = view.flag("--trillian_log_server.tlog_id") ?? "";
  const hostname = view.flag("--rekor_server.hostname") ?? "";
  if (!/^\d+$/.test(treeId) || hostname === "")
    throw new NotStarted(`tree "${treeId}", host "${hostname}"`);
  if (!trees.has(treeId)) throw new NotStarted(`tree ${treeId} not found`);
  const publicKey = createPublicKey(key).export({ type: "spki", format: "pem" });
  const info = () =>
    json({
      rootHash: trees.rootHash(treeId).toString("hex"),
      treeSize: trees.size(treeId),
      signedTreeHead: checkpoint(key, hostname, treeId, trees),
      treeID: treeId,
      inactiveShards: [],
    });
  return routes(
    {
      "/ping": () => plain("."),
      "/api/v1/log": info,
      "/api/v1/log/publicKey": () => plain(publicKey),
      "/api/v1/log/proof": (query) => {
        const [first, last] = [Number(query.get("firstSize")), Number(query.get("lastSize"))];
        const path = trees.consistency(treeId, first, last);
        return json({ hashes: path.map((hash) => hash.toString("hex")) });
      },
    },
    {
      "/api/v1/log/entries": () => {
        trees.append(treeId);
        return info();
      },
    },
  );
}

/** A signed note (C2SP tlog-checkpoint) as Rekor v1 writes it: the origin ends in the tree's id. */
function checkpoint(key: KeyObject, hostname: string, treeId: string, trees: Trees): string {
  const root = trees.rootHash(treeId).toString("base64");
  const body = `${hostname} - ${treeId}\n${trees.size(treeId)}\n${root}\n`;
  const spki = createPublicKey(key).export({ type: "spki", format: "der" });
  const hint = createHash("sha256").update(spki).digest().subarray(0, 4);
  const signed = Buffer.concat([hint, sign("sha256", Buffer.from(body), key)]);
  return `${body}\n— ${hostname} ${signed.toString("base64")}\n`;
}
