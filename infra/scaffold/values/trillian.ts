import type { Input } from "@pulumi/pulumi";
import type { ImageRef } from "../images.ts";
import { flagSecretAnnotation } from "../postrender/flagFile.ts";
import { trillianDatabase, trillianNames, trillianPorts } from "../names.ts";
import { imagePullSecrets } from "../pullSecrets.ts";
import { fixedSizes, type Resources, type Sizes } from "../sizes.ts";
import {
  chartImage,
  chartInitImage,
  httpReadiness,
  livenessTiming,
  only,
  readinessTiming,
  servicePorts,
  type PodAnnotations,
  type Values,
} from "./common.ts";
import { containerSecurity, podSecurity, type RunAs } from "./security.ts";

export interface TrillianArgs {
  namespace: string;
  images: { logServer: ImageRef; logSigner: ImageRef; database: ImageRef; netcat: ImageRef };
  /** Secret with the keys of `databaseSecretKeys`; database and user as in `trillianDatabase`. */
  databaseSecret: Input<string>;
  /** Secret with the flags that name the database and its password, for log server and signer. */
  flagSecret: Input<string>;
  /** Claim of the volume that keeps the logs. */
  volumeClaim: Input<string>;
  /** Of the log server; signer and database are one pod each. */
  replicas: number;
  sizes: Sizes;
  runAs?: RunAs;
  /** On log server and signer; the database reads its Secret only when the volume is empty. */
  podAnnotations?: PodAnnotations;
  pullSecrets?: readonly string[];
}

const rpcPort = { name: "8091-tcp", port: trillianPorts.rpc, targetPort: trillianPorts.rpc };
const httpPort = { name: "8090-tcp", port: trillianPorts.http, targetPort: trillianPorts.http };
const databasePort = {
  name: "3306-tcp",
  port: trillianPorts.database,
  targetPort: trillianPorts.database,
};

/**
 * What log server and signer have in common. /healthz asks the database as well, so it says who is
 * ready but not who must be restarted: that is who no longer takes a connection.
 */
function trillianServer(
  { runAs }: TrillianArgs,
  name: string,
  image: ImageRef,
  replicaCount: number,
  resources: Resources,
) {
  return {
    enabled: true,
    name,
    fullnameOverride: name,
    replicaCount,
    portRPC: trillianPorts.rpc,
    portHTTP: trillianPorts.http,
    image: chartImage(image),
    readinessProbe: httpReadiness("/healthz", trillianPorts.http),
    livenessProbe: { tcpSocket: { port: trillianPorts.http }, ...livenessTiming },
    resources,
    securityContext: podSecurity(runAs),
    containerSecurityContext: containerSecurity(),
  };
}

/** Of the published MySQL and MariaDB images. */
const databaseUser = 999;

/** MySQL on our claim. The post-renderer makes both probes a TCP one, for any image. */
function database(args: TrillianArgs) {
  const { images, databaseSecret, volumeClaim, sizes, runAs } = args;
  return {
    enabled: true,
    fullnameOverride: trillianNames.database,
    replicaCount: 1,
    database: trillianDatabase.name,
    port: trillianPorts.database,
    strategy: { type: "Recreate" },
    image: chartImage(images.database),
    // A fresh ext4 volume has this folder, which MySQL takes for a database.
    args: ["--ignore-db-dir=lost+found"],
    auth: { username: trillianDatabase.user, existingSecret: databaseSecret },
    persistence: { enabled: true, existingClaim: volumeClaim },
    service: { type: "ClusterIP", ports: servicePorts(databasePort) },
    readinessProbe: readinessTiming,
    livenessProbe: livenessTiming,
    resources: sizes.database,
    securityContext: {
      ...podSecurity(runAs, databaseUser),
      fsGroupChangePolicy: "OnRootMismatch",
    },
    // What MySQL writes beside the volume has folders of its own: postrender/scratch.ts.
    containerSecurityContext: containerSecurity(),
  };
}

/**
 * Values of the Release with Trillian's log server, log signer and MySQL. The database image brings
 * Trillian's schema; the chart's createdb Job is off. One signer, always master: the chart's default.
 */
export function trillianValues(args: TrillianArgs): Values {
  const { namespace, images, sizes } = args;
  const podAnnotations = { ...args.podAnnotations, [flagSecretAnnotation]: args.flagSecret };
  return only("trillian", namespace, {
    fullnameOverride: "trillian",
    ...imagePullSecrets(args.pullSecrets),
    createdb: { enabled: false },
    initContainerImage: { netcat: chartInitImage(images.netcat) },
    initContainerResources: fixedSizes.netcat,
    initContainerSecurityContext: containerSecurity(),
    mysql: database(args),
    logServer: {
      ...trillianServer(
        args,
        trillianNames.logServer,
        images.logServer,
        args.replicas,
        sizes.trillianLogServer,
      ),
      service: { type: "ClusterIP", ports: servicePorts(rpcPort, httpPort) },
      podAnnotations,
    },
    logSigner: {
      ...trillianServer(
        args,
        trillianNames.logSigner,
        images.logSigner,
        1,
        sizes.trillianLogSigner,
      ),
      forceMaster: true,
      service: { type: "ClusterIP", ports: servicePorts(rpcPort) },
      podAnnotations,
    },
  });
}
