import type * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { publishedFacts } from "../../expectations.ts";
import { replaceable } from "../../protect.ts";
import { servingCertSecret } from "../../scaffold/postrender/tlsProxy.ts";
import type { Resources } from "../../scaffold/sizes.ts";
import type { Exposure, RunAs } from "../../scaffold/values.ts";
import { Gate } from "../../trust/gate.ts";
import type { Publication } from "../../trust/stamps.ts";
import type { TufPublication } from "../../trust/tuf/publication.ts";
import { repositoryFiles } from "../../trust/tuf/repository.ts";
import { tlsServiceName } from "./names.ts";
import { httpPort } from "./nginx.ts";
import { TufRevision } from "./revision.ts";
import { TimestampSchedule } from "./schedule.ts";
import { TufService, TufTlsService, type TufServiceArgs } from "./service.ts";
import { TimestampSigner } from "./signer.ts";

export interface TufMirrorArgs {
  namespace: k8s.core.v1.Namespace;
  /** Full references: nginx serves, Node signs. */
  images: { nginx: string; node: string };
  /** Names of the Secrets that images are pulled with. */
  pullSecrets: readonly string[];
  /** Of nginx. */
  resources: Resources;
  runAs: RunAs;
  publication: TufPublication;
  /** The key of the timestamp role as PEM; a secret. */
  timestampKey: pulumi.Input<string>;
  /** Seconds from its signing, and the cron schedule of the signing. */
  timestamp: { life: number; schedule: string };
  exposure: Exposure;
  /** The mirror's Service inside the cluster: NAMESPACE/SERVICE:PORT. */
  service: string;
  /**
   * Where a Route re-encrypts: whether an earlier update has asked for the certificate. The first pods
   * that hold it wait for it, and it comes with the Service for TLS, so that one comes before them, with
   * no Route to it. From then on it moves with the other Service.
   */
  tls: { isAsked: boolean } | undefined;
  /** The kubeconfig's context, where the stack names one. */
  context: string | undefined;
}

/**
 * The TUF mirror, in the order in which a new revision becomes visible: it is made beside the one
 * that serves, its timestamp is signed, each of its pods is walked from root 1, and only then the
 * Service leads to it and the schedule renews its timestamp.
 */
export class TufMirror extends pulumi.ComponentResource {
  constructor(name: string, args: TufMirrorArgs, opts?: pulumi.ComponentResourceOptions) {
    const { publication } = args;
    super("anchorhold:platform:TufMirror", name, { version: publication.version }, opts);
    const parent = { parent: this };
    const namespace = args.namespace.metadata.name;
    const signer = new TimestampSigner(
      `${name}-signer`,
      {
        namespace,
        image: args.images.node,
        pullSecrets: args.pullSecrets,
        runAs: args.runAs,
        privateKeyPem: args.timestampKey,
        lifeSeconds: args.timestamp.life,
      },
      parent,
    );
    const tlsService = (selector: TufServiceArgs["selector"], after: pulumi.Resource[]) =>
      new TufTlsService(
        `${name}-tls`,
        { namespace, selector },
        { parent: this, dependsOn: after, ...replaceable },
      );
    const revision = new TufRevision(
      `${name}-revision`,
      {
        namespace,
        image: args.images.nginx,
        pullSecrets: args.pullSecrets,
        runAs: args.runAs,
        resources: args.resources,
        certificate: args.tls && servingCertSecret(tlsServiceName),
        files: filesOf(publication),
        version: publication.version,
        revision: publication.current.revision,
        signer,
        before: args.tls?.isAsked === false ? (labels) => tlsService(labels, []) : undefined,
      },
      parent,
    );
    const gate = new Gate(
      `${name}-gate`,
      {
        expected: {
          before: `clients are led to version ${publication.version} of the TUF repository`,
          context: args.context,
          mirror: {
            pods: podsOf(namespace, revision.selector),
            after: args.service,
            ...publishedFacts(publication),
          },
        },
      },
      { parent: this, dependsOn: [revision] },
    );
    const service = new TufService(
      `${name}-service`,
      { namespace, selector: revision.selector, exposure: args.exposure },
      { parent: this, dependsOn: [gate] },
    );
    if (args.tls?.isAsked === true) tlsService(revision.selector, [gate]);
    new TimestampSchedule(
      `${name}-schedule`,
      { signer, snapshot: revision.snapshot, schedule: args.timestamp.schedule },
      { parent: this, dependsOn: [service] },
    );
    this.registerOutputs();
  }
}

function filesOf(publication: TufPublication): pulumi.Output<Record<string, string>> {
  return pulumi
    .all([publication.initialRoot, publication.served])
    .apply(([root, served]) =>
      repositoryFiles({ roots: [root], publications: served.map(publishedVersion) }),
    );
}

function publishedVersion({ documents, ...roles }: Publication) {
  return { ...roles, targetFiles: documents };
}

/** NAMESPACE/LABELS:PORT, as a gate's expectation names pods. */
function podsOf(
  namespace: pulumi.Output<string>,
  labels: pulumi.Output<Record<string, string>>,
): pulumi.Output<string> {
  return pulumi.all([namespace, labels]).apply(([space, all]) => {
    const selector = Object.entries(all).map(([label, value]) => `${label}=${value}`);
    return `${space}/${selector.join(",")}:${httpPort}`;
  });
}
