import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { HostExposure } from "../../config/exposure.ts";
import { replaceable } from "../../protect.ts";
import type { ServerCertificate } from "./certificate.ts";
import { fronts, type Front } from "./front.ts";
import { ingressesOf } from "./ingress.ts";
import { routeApi, routesOf } from "./route.ts";

export interface EntranceArgs {
  exposure: HostExposure;
  prefix: string;
  /** Of Rekor, each with a host of its own. */
  rekorGenerations: readonly number[];
  /** What the configured Secret holds; a secret. Left out where another makes the certificates. */
  certificate: pulumi.Output<ServerCertificate> | undefined;
}

type Secret = k8s.core.v1.Secret;

/**
 * Host names in front of the services: Ingresses or Routes, each in the namespace of its Service,
 * with a copy of the certificate beside it, since neither may refer to another namespace.
 */
export class Entrance extends pulumi.ComponentResource {
  constructor(name: string, args: EntranceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("anchorhold:platform:Entrance", name, {}, opts);
    const { exposure, prefix, rekorGenerations, certificate } = args;
    for (const front of fronts(exposure, prefix, rekorGenerations)) {
      const copy = certificate && this.copied(`${name}-${front.name}-tls`, front, certificate);
      if (exposure.type === "ingress") this.ingresses(name, front, exposure, copy);
      else this.routes(name, front, exposure, copy);
    }
    this.registerOutputs();
  }

  /** Under a new name for each new content: the old one goes when nothing refers to it any more. */
  private copied(
    name: string,
    { namespace }: Front,
    certificate: pulumi.Output<ServerCertificate>,
  ): Secret {
    const stringData = {
      "tls.crt": certificate.certificatePem,
      "tls.key": certificate.privateKeyPem,
    };
    return new k8s.core.v1.Secret(
      name,
      { metadata: { namespace }, type: "kubernetes.io/tls", stringData },
      { parent: this, ...replaceable },
    );
  }

  private ingresses(
    name: string,
    front: Front,
    exposure: Extract<HostExposure, { type: "ingress" }>,
    copy: Secret | undefined,
  ): void {
    // Where there is no copy, cert-manager makes a Secret of this name for each host.
    const secretName = copy?.metadata.name ?? `${front.name}-tls`;
    for (const ingress of ingressesOf(front, exposure, secretName))
      new k8s.networking.v1.Ingress(
        `${name}-${ingress.name}`,
        {
          metadata: {
            name: ingress.name,
            namespace: front.namespace,
            annotations: ingress.annotations,
          },
          spec: ingress.spec,
        },
        { parent: this },
      );
  }

  private routes(
    name: string,
    front: Front,
    exposure: Extract<HostExposure, { type: "route" }>,
    copy: Secret | undefined,
  ): void {
    const secretName = copy?.metadata.name;
    const { namespace } = front;
    const dependsOn =
      secretName && this.readable(`${name}-${front.name}-router`, front, secretName);
    for (const route of routesOf(front, exposure, secretName))
      new k8s.apiextensions.CustomResource(
        `${name}-${route.name}`,
        {
          ...routeApi,
          metadata: { name: route.name, namespace, annotations: route.annotations },
          spec: route.spec,
        },
        { parent: this, ...(dependsOn && { dependsOn }) },
      );
  }

  /**
   * Lets OpenShift's router read one Secret, without which it refuses the Route; made anew for each
   * Secret, so that the former one stays readable until no Route refers to it.
   * https://docs.redhat.com/en/documentation/openshift_container_platform/4.19/html/ingress_and_load_balancing/securing-routes
   */
  private readable(
    name: string,
    { namespace }: Front,
    secretName: pulumi.Output<string>,
  ): k8s.rbac.v1.RoleBinding {
    const role = new k8s.rbac.v1.Role(
      `${name}-role`,
      {
        metadata: { name: secretName, namespace },
        rules: [
          {
            apiGroups: [""],
            resources: ["secrets"],
            resourceNames: [secretName],
            verbs: ["get", "list", "watch"],
          },
        ],
      },
      { parent: this, ...replaceable },
    );
    return new k8s.rbac.v1.RoleBinding(
      `${name}-binding`,
      {
        metadata: { name: secretName, namespace },
        roleRef: {
          apiGroup: "rbac.authorization.k8s.io",
          kind: "Role",
          name: role.metadata.name,
        },
        subjects: [{ kind: "ServiceAccount", name: "router", namespace: "openshift-ingress" }],
      },
      { parent: this, ...replaceable },
    );
  }
}
