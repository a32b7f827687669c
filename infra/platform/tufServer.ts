import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { flattenPath } from "../trust/tuf/repository.ts";

export interface TufServerArgs {
  namespace: pulumi.Input<string>;
  /** nginx, as a full reference; runs under any user id. */
  image: string;
  /** Path below the mirror's URL → content. */
  files: pulumi.Input<Record<string, string>>;
  /** Hash of what is published; on the pods, so that people can compare. */
  revision: pulumi.Input<string>;
  /** Port on the node. */
  nodePort: number;
}

const httpPort = 8080;
const labels = { "app.kubernetes.io/name": "tuf" };

/**
 * Root files that do not exist yet must answer 404, and nothing that can change may be cached:
 * a client that asks for the next root or the timestamp needs the answer of now.
 */
const nginxConfig = `
worker_processes 1;
pid /tmp/nginx.pid;
error_log /dev/stderr warn;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path /tmp/body;
  proxy_temp_path /tmp/proxy;
  fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi;
  scgi_temp_path /tmp/scgi;
  default_type application/octet-stream;
  types { application/json json; }
  server {
    listen ${httpPort};
    root /srv/tuf;
    location ~ ^/([0-9]+\\.[a-z]+\\.json|targets/.+)$ {
      add_header Cache-Control "public, max-age=31536000, immutable";
    }
    location / { add_header Cache-Control "no-cache" always; }
  }
}
`;

/**
 * Serves the TUF repository. Each revision is a ConfigMap with a name of its own, so that a pod
 * shows one revision from its first request to its last; one replica, because a client that meets
 * an older timestamp after a newer one fails hard.
 */
export class TufServer extends pulumi.ComponentResource {
  constructor(name: string, args: TufServerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("anchorhold:platform:TufServer", name, {}, opts);
    const parent = { parent: this };
    const files = pulumi.output(args.files);
    const repository = new k8s.core.v1.ConfigMap(
      `${name}-repository`,
      {
        metadata: { namespace: args.namespace },
        data: files.apply((all) => ({
          "nginx.conf": nginxConfig,
          ...Object.fromEntries(Object.entries(all).map(([p, text]) => [flattenPath(p), text])),
        })),
        immutable: true,
      },
      parent,
    );
    new k8s.apps.v1.Deployment(
      `${name}-server`,
      {
        metadata: { name: "tuf", namespace: args.namespace, labels },
        spec: {
          replicas: 1,
          selector: { matchLabels: labels },
          strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
          template: podTemplate(args, repository, files),
        },
      },
      parent,
    );
    new k8s.core.v1.Service(
      `${name}-service`,
      {
        metadata: { name: "tuf", namespace: args.namespace, labels },
        spec: {
          type: "NodePort",
          selector: labels,
          ports: [{ name: "http", port: 80, targetPort: httpPort, nodePort: args.nodePort }],
        },
      },
      parent,
    );
    this.registerOutputs();
  }
}

function podTemplate(
  args: TufServerArgs,
  repository: k8s.core.v1.ConfigMap,
  files: pulumi.Output<Record<string, string>>,
): k8s.types.input.core.v1.PodTemplateSpec {
  const items = files.apply((all) =>
    Object.keys(all).map((path) => ({ key: flattenPath(path), path })),
  );
  return {
    metadata: { labels, annotations: { "anchorhold.dev/revision": args.revision } },
    spec: {
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
      containers: [nginxContainer(args.image)],
      volumes: [
        { name: "repository", configMap: { name: repository.metadata.name, items } },
        {
          name: "config",
          configMap: {
            name: repository.metadata.name,
            items: [{ key: "nginx.conf", path: "nginx.conf" }],
          },
        },
        { name: "tmp", emptyDir: {} },
      ],
    },
  };
}

function nginxContainer(image: string): k8s.types.input.core.v1.Container {
  return {
    name: "nginx",
    image,
    imagePullPolicy: "IfNotPresent",
    command: ["nginx", "-e", "stderr", "-c", "/etc/anchorhold/nginx.conf", "-g", "daemon off;"],
    ports: [{ name: "http", containerPort: httpPort }],
    securityContext: {
      runAsUser: 65533,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
    readinessProbe: { httpGet: { path: "/timestamp.json", port: "http" }, periodSeconds: 2 },
    livenessProbe: { httpGet: { path: "/timestamp.json", port: "http" }, periodSeconds: 20 },
    // Requests in flight end before nginx does: the endpoint is gone well within this time.
    lifecycle: { preStop: { sleep: { seconds: 4 } } },
    resources: {
      requests: { cpu: "10m", memory: "16Mi" },
      limits: { memory: "64Mi" },
    },
    volumeMounts: [
      { name: "repository", mountPath: "/srv/tuf", readOnly: true },
      { name: "config", mountPath: "/etc/anchorhold", readOnly: true },
      { name: "tmp", mountPath: "/tmp" },
    ],
  };
}
