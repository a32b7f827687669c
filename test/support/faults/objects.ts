import { pendingUpgrade } from "./helm.ts";
import type { KubeObject } from "../../../cli/doctor/kubernetes.ts";
import {
  args,
  changedByte,
  edit,
  pod,
  remove,
  rewrite,
  setFlag,
  type Fault,
  type Place,
} from "./cluster.ts";

function deleted(place: Place, mender: Fault["mender"] = "doctor"): Fault {
  const [kind, space, name] = place;
  return {
    name: `${kind} ${name} is deleted`,
    expects: `missing-${kind.toLowerCase()}`,
    part: space,
    mender,
    inject: (target) => remove(target, place),
  };
}

/** A fault that doctor sets right again: `change` edits the object. */
function edited(
  name: string,
  expects: string,
  place: Place,
  change: (object: KubeObject) => void,
): Fault {
  return {
    name,
    expects,
    part: place[1],
    mender: "doctor",
    inject: (target) => edit(target, place, change),
  };
}

/** An argument of a server. */
const flag = (name: string, expects: string, place: Place, flagName: string, value: string) =>
  edited(name, expects, place, (deployment) => setFlag(args(deployment), flagName, value));

/** Fields of an object's spec. */
const spec = (name: string, expects: string, place: Place, fields: object) =>
  edited(name, expects, place, (object) => Object.assign(object["spec"] as object, fields));

const rekor: Place = ["Deployment", "rekor-1", "rekor-1-server"];
const fulcio: Place = ["Deployment", "fulcio", "fulcio-server"];
const tsaChain: Place = ["ConfigMap", "tsa", "tsa-server-config"];

const blocks = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/g;

/** Faults in objects of the Releases and of Pulumi: deleted, scaled, edited. */
export const objectFaults: readonly Fault[] = [
  flag(
    "Rekor signs with a key in memory",
    "rekor-signer-changed",
    rekor,
    "--rekor_server.signer",
    "memory",
  ),
  flag(
    "Rekor signs in another host's name",
    "rekor-hostname-changed",
    rekor,
    "--rekor_server.hostname",
    "rekor-server-7d9f",
  ),
  {
    byte: true,
    ...edited(
      "a byte of Rekor's tree id",
      "rekor-tree-changed",
      ["ConfigMap", "rekor-1", "rekor-1-config"],
      (map) => rewrite(map, "treeID", (text) => changedByte(text, /^\d\d/)),
    ),
  },
  flag(
    "Fulcio writes to another CT log",
    "fulcio-ct-log-url",
    fulcio,
    "--ct-log-url",
    "http://ctlog.ctlog-system.svc/test",
  ),
  {
    byte: true,
    ...edited(
      "a byte of Fulcio's issuers",
      "fulcio-issuers-changed",
      ["ConfigMap", "fulcio", "fulcio-server-config"],
      (map) => rewrite(map, "config.json", (text) => changedByte(text, /"ClientID": "\w/)),
    ),
  },
  edited("Fulcio's pods read another Secret", "other-secret", fulcio, (deployment) => {
    const volume = pod(deployment).volumes.find(({ secret }) => secret !== undefined);
    volume!.secret!.secretName = "fulcio-server-secret";
  }),
  {
    byte: true,
    ...edited("a byte of the TSA's chain", "tsa-chain-changed", tsaChain, (map) =>
      rewrite(map, "chain.pem", (text) => changedByte(text)),
    ),
  },
  edited("the TSA's root comes before its leaf", "tsa-chain-misordered", tsaChain, (map) =>
    rewrite(map, "chain.pem", (text) => (text.match(blocks) ?? []).reverse().join("")),
  ),
  spec("the TSA is scaled to nothing", "scaled-to-zero", ["Deployment", "tsa", "tsa-server"], {
    replicas: 0,
  }),
  spec("Fulcio's Service leads nowhere", "service-selector", ["Service", "fulcio", "fulcio"], {
    selector: { "app.kubernetes.io/name": "other" },
  }),
  edited(
    "Rekor's Service has another port",
    "service-port",
    ["Service", "rekor-1", "rekor-1-server"],
    ({ spec }) => {
      (spec as { ports: { port: number }[] }).ports[0]!.port = 8080;
    },
  ),
  edited(
    "ct_server runs from another image",
    "object-changed",
    ["Deployment", "ctlog", "ctlog"],
    (deployment) => {
      pod(deployment).containers[0]!.image = "ghcr.io/sigstore/scaffolding/ct_server:latest";
    },
  ),
  deleted(["Deployment", "fulcio", "fulcio-server"]),
  deleted(["Deployment", "trillian", "trillian-mysql"]),
  deleted(["Service", "rekor-1", "rekor-1-server"]),
  deleted(["Service", "tuf", "tuf"], "pulumi"),
  deleted(["Secret", "tsa", "tsa-signer"], "pulumi"),
  deleted(["Secret", "trillian", "trillian-database-login"], "pulumi"),
  deleted(["ConfigMap", "fulcio", "fulcio-server-config"]),
  deleted(["ConfigMap", "tuf", "tuf-timestamp"], "pulumi"),
  deleted(["ServiceAccount", "ctlog", "ctlog"]),
  deleted(["PodDisruptionBudget", "rekor-1", "rekor-1-server"]),
  deleted(["NetworkPolicy", "fulcio", "allow-fulcio"], "pulumi"),
  deleted(["CronJob", "tuf", "tuf-timestamp"], "pulumi"),
  deleted(["RoleBinding", "tuf", "tuf-signer"], "pulumi"),
  deleted(["PersistentVolumeClaim", "trillian", "trillian-mysql"], "people"),
  {
    name: "Fulcio's namespace is deleted",
    expects: "missing-namespace",
    part: "fulcio",
    mender: "pulumi",
    async inject(target) {
      const all = await target.cluster.list("v1", "Namespace", "");
      const name = `${target.outputs.prefix}-fulcio`;
      await target.cluster.delete(all.find(({ metadata }) => metadata.name === name)!);
    },
  },
  pendingUpgrade("rekor-1", "rekor-1"),
];
