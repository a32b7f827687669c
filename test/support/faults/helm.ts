import { gunzipSync, gzipSync } from "node:zlib";
import { read, type Fault } from "./cluster.ts";

/** A revision as Helm keeps it in a Secret, besides Kubernetes' own base64. */
interface Release {
  version: number;
  info: { status: string };
}

/** What Helm leaves when it is killed in the middle of an upgrade. */
export function pendingUpgrade(space: string, release: string): Fault {
  return {
    name: `Helm was killed in an upgrade of ${release}`,
    expects: "helm-pending",
    part: space,
    mender: "people",
    async inject({ cluster, outputs }) {
      const namespace = `${outputs.prefix}-${space}`;
      const secrets = await cluster.list("v1", "Secret", namespace);
      const version = ({ metadata }: (typeof secrets)[number]) =>
        Number(metadata.labels?.["version"]);
      const [newest] = secrets
        .filter(({ metadata }) => metadata.labels?.["owner"] === "helm")
        .sort((a, b) => version(b) - version(a));
      const json = gunzipSync(Buffer.from(read(newest!, "release").text, "base64")).toString();
      const next = version(newest!) + 1;
      const status = "pending-upgrade";
      const record = { ...(JSON.parse(json) as Release), version: next, info: { status } };
      const inner = gzipSync(JSON.stringify(record)).toString("base64");
      await cluster.create({
        apiVersion: "v1",
        kind: "Secret",
        type: "helm.sh/release.v1",
        metadata: {
          name: `sh.helm.release.v1.${release}.v${next}`,
          namespace,
          labels: { owner: "helm", name: release, status, version: String(next) },
        },
        data: { release: Buffer.from(inner).toString("base64") },
      });
    },
  };
}
