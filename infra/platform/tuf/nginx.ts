import type * as k8s from "@pulumi/kubernetes";
import { podPorts } from "../../scaffold/names.ts";
import { httpsPort, tlsPlace, tlsPodPort } from "../../scaffold/postrender/tlsProxy.ts";
import type { Resources } from "../../scaffold/sizes.ts";
import { servingCertificate, temporaryPaths } from "../../scaffold/tlsProxy.ts";
import { containerSecurity } from "../../scaffold/values.ts";

export const httpPort = podPorts.tuf;

/** Where the server finds the files of the repository, the timestamp, and its configuration. */
export const place = {
  repository: "/srv/tuf",
  timestamp: "/srv/timestamp",
  config: "/etc/anchorhold",
};

/**
 * Root files that do not exist yet must answer 404, and nothing that can change may be cached:
 * a client that asks for the next root or the timestamp needs the answer of now. No connection is
 * kept: one that is open would lead on to the former pods after the Service has moved, and a client
 * with several connections would see the timestamp go back.
 * @param tls whether it takes TLS as well, on a port of its own
 */
export function nginxConfig(tls: boolean): string {
  return `
worker_processes 1;
pid /tmp/nginx.pid;
error_log /dev/stderr warn;
events { worker_connections 256; }
http {
  access_log off;
${temporaryPaths}
  default_type application/octet-stream;
  types { application/json json; }
${tls ? `${servingCertificate.http}\n` : ""}  server {
    listen ${httpPort};
${tls ? `    listen ${tlsPodPort} ssl;\n${servingCertificate.server}\n` : ""}    keepalive_timeout 0;
    root ${place.repository};
    location ~ ^/([0-9]+\\.[a-z]+\\.json|targets/.+)$ {
      add_header Cache-Control "public, max-age=31536000, immutable";
    }
    location = /timestamp.json {
      root ${place.timestamp};
      add_header Cache-Control "no-cache" always;
    }
    location / { add_header Cache-Control "no-cache" always; }
  }
}
`;
}

/** The server's container; it runs under any user id. With TLS it is ready when that works. */
export function nginxContainer(
  image: string,
  resources: Resources,
  tls: boolean,
): k8s.types.input.core.v1.Container {
  const path = "/timestamp.json";
  const certificate = { name: "certificate", mountPath: tlsPlace.certificate, readOnly: true };
  const https = { name: httpsPort.name, containerPort: tlsPodPort };
  const asked = tls ? { path, port: https.name, scheme: "HTTPS" } : { path, port: "http" };
  return {
    name: "nginx",
    image,
    imagePullPolicy: "IfNotPresent",
    command: ["nginx", "-e", "stderr", "-c", `${place.config}/nginx.conf`, "-g", "daemon off;"],
    ports: [{ name: "http", containerPort: httpPort }, ...(tls ? [https] : [])],
    securityContext: containerSecurity(),
    readinessProbe: { httpGet: asked, periodSeconds: 2 },
    livenessProbe: { httpGet: { path, port: "http" }, periodSeconds: 20 },
    // Requests in flight end before nginx does: the endpoint is gone well within this time.
    lifecycle: { preStop: { sleep: { seconds: 5 } } },
    resources,
    volumeMounts: [
      { name: "repository", mountPath: place.repository, readOnly: true },
      { name: "timestamp", mountPath: place.timestamp, readOnly: true },
      { name: "config", mountPath: place.config, readOnly: true },
      { name: "tmp", mountPath: "/tmp" },
      ...(tls ? [certificate] : []),
    ],
  };
}
