import { keyJson } from "../../../infra/trust/tuf/signature.ts";
import { readTimestamp, signTimestamp } from "../../../infra/trust/tuf/timestamp.ts";
import { changedByte, edit, find, pod, read, rewrite, type Fault, type Place } from "./cluster.ts";

const repository: Place = ["ConfigMap", "tuf", "tuf-mirror-revision-repository"];
const timestamps: Place = ["ConfigMap", "tuf", "tuf-timestamp"];
const mirror: Place = ["Deployment", "tuf", "tuf-"];

function byte(
  name: string,
  expects: string,
  place: Place,
  key: string,
  mender: Fault["mender"],
  within?: RegExp,
): Fault {
  return {
    name: `a byte of ${name}`,
    expects,
    part: "tuf",
    byte: true,
    mender,
    inject: (target) =>
      edit(target, place, (map) => rewrite(map, key, (text) => changedByte(text, within))),
  };
}

/** Faults in what clients read from the mirror. */
export const tufFaults: readonly Fault[] = [
  byte(
    "the published trusted_root.json",
    "tuf-repository-changed",
    repository,
    "trusted_root.json",
    "pulumi",
  ),
  byte(
    "the published snapshot.json",
    "tuf-repository-changed",
    repository,
    "1.snapshot.json",
    "pulumi",
  ),
  byte("the published first root", "tuf-repository-changed", repository, "1.root.json", "pulumi"),
  byte("timestamp.json", "tuf-timestamp-changed", timestamps, "1.json", "doctor"),
  byte(
    "the signer's record",
    "tuf-timestamp-record-changed",
    timestamps,
    "last",
    "pulumi",
    /signed":"/,
  ),
  {
    name: "nobody has renewed timestamp.json",
    expects: "tuf-timestamp-expired",
    part: "tuf",
    mender: "doctor",
    async inject(target) {
      const secret = await find(target, ["Secret", "tuf", "tuf-mirror-signer-key"]);
      const privateKeyPem = read(secret, "key.pem").text;
      const publicKeyPem = keyJson(privateKeyPem).keyval.public;
      const expires = new Date(Date.now() - 3_600_000);
      await edit(target, timestamps, (map) =>
        rewrite(map, "1.json", (text) => {
          const { version, snapshot } = readTimestamp(text)!;
          const signer = { privateKeyPem, publicKeyPem };
          return signTimestamp({ version, snapshot, expires, signer });
        }),
      );
    },
  },
  {
    name: "the CronJob that renews timestamp.json is suspended",
    expects: "tuf-signer-suspended",
    part: "tuf",
    mender: "doctor",
    inject: (target) =>
      edit(target, ["CronJob", "tuf", "tuf-timestamp"], (cronJob) => {
        (cronJob["spec"] as { suspend?: boolean }).suspend = true;
      }),
  },
  {
    name: "the mirror's pods are on an old revision",
    expects: "tuf-revision-old",
    part: "tuf",
    mender: "pulumi",
    async inject(target) {
      const current = await find(target, repository);
      const old = "tuf-mirror-revision-old";
      const { namespace = "" } = current.metadata;
      await target.cluster.create({ ...current, metadata: { name: old, namespace } });
      await edit(target, mirror, (deployment) => {
        const volumes = pod(deployment).volumes.filter(({ name }) => name === "repository");
        for (const { configMap } of volumes) configMap!.name = old;
      });
    },
  },
];
