import type { Input } from "@pulumi/pulumi";
import type { ImageRef } from "../imageRef.ts";
import { caFile, flagCaAnnotation, flagSecretAnnotation } from "../postrender/flagFile.ts";
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

/** The chart's MySQL. */
export interface ChartDatabase {
  /** Secret with the keys of `databaseSecretKeys`; database and user as in `trillianDatabase`. */
  secret: Input<string>;
  /** Claim of the volume that keeps the logs. */
  claim: Input<string>;
}

/** One that is not the chart's. */
export interface OtherDatabase {
  host: string;
  port: number;
  /** The flag Secret has its CA certificates too. */
  hasCa: boolean;
}

export interface TrillianArgs {
  namespace: string;
  images: { logServer: ImageRef; logSigner: ImageRef; database: ImageRef; netcat: ImageRef };
  /** Which database keeps the logs. */
  database: ChartDatabase | OtherDatabase;
  /** Secret with the flags that name the database and its password, for log server and signer. */
  flagSecret: Input<string>;
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

/**
 * No MySQL. Its address here is for people: servers read the flag file. Without the name of a Secret
 * the chart would make one, with a password at random.
 */
function noDatabase({ host, port }: OtherDatabase, { flagSecret }: TrillianArgs) {
  return { enabled: false, hostname: host, port, auth: { existingSecret: flagSecret } };
}

/** MySQL on our claim. The post-renderer makes both probes a TCP one, for any image. */
function chartDatabase({ secret, claim }: ChartDatabase, { images, sizes, runAs }: TrillianArgs) {
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
    auth: { username: trillianDatabase.user, existingSecret: secret },
    persistence: { enabled: true, existingClaim: claim },
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
 * Values of the Release with Trillian's log server, log signer and, unless it is elsewhere, MySQL.
 * Its image brings Trillian's schema; the chart's createdb Job is off. One signer, always master: the
 * chart's default.
 */
export function trillianValues(args: TrillianArgs): Values {
  const { namespace, images, sizes, database } = args;
  const podAnnotations = {
    ...args.podAnnotations,
    [flagSecretAnnotation]: args.flagSecret,
    ...("hasCa" in database && database.hasCa ? { [flagCaAnnotation]: caFile } : {}),
  };
  return only("trillian", namespace, {
    fullnameOverride: "trillian",
    ...imagePullSecrets(args.pullSecrets),
    createdb: { enabled: false },
    initContainerImage: { netcat: chartInitImage(images.netcat) },
    initContainerResources: fixedSizes.netcat,
    initContainerSecurityContext: containerSecurity(),
    mysql: "host" in database ? noDatabase(database, args) : chartDatabase(database, args),
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
