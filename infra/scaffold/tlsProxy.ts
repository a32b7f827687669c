import {
  tlsConfigAnnotation,
  tlsPlace,
  tlsPodPort,
  tlsProxyAnnotation,
  type TlsProxy,
} from "./postrender/tlsProxy.ts";
import type { PodAnnotations } from "./values/common.ts";

/** What a proxy stands in front of, inside the pod: plain HTTP, and gRPC for the paths below one. */
export interface TlsBackend {
  http: number;
  grpc?: { port: number; path: string };
}

/** nginx writes nowhere else, whatever it does. */
export const temporaryPaths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
  .map((what) => `  ${what}_temp_path /tmp/${what === "client_body" ? "body" : what};`)
  .join("\n");

/**
 * The certificate of a server: because its place is a variable, nginx reads it at each handshake
 * (ngx_http_ssl_module, ssl_certificate), so a renewed one is taken without a reload.
 */
export const servingCertificate = {
  http: `  map $ssl_server_name $serving_certificate { default "${tlsPlace.certificate}/tls"; }`,
  server: [
    "    ssl_certificate $serving_certificate.crt;",
    "    ssl_certificate_key $serving_certificate.key;",
  ].join("\n"),
} as const;

/**
 * The nginx.conf of a proxy. Each request has a connection of its own to the server, which might just
 * be closing one that was kept, and nothing of it is kept on a disk. The protocol of gRPC is named with
 * `listen`, since the directive `http2` is younger than some of the nginx that run this (1.25.1).
 */
export function tlsProxyConfig({ http, grpc }: TlsBackend): string {
  return `
worker_processes 1;
pid /tmp/nginx.pid;
error_log /dev/stderr warn;
events { worker_connections 1024; }
http {
  access_log off;
${temporaryPaths}
  client_max_body_size 0;
${servingCertificate.http}
  server {
    listen ${tlsPodPort} ssl${grpc === undefined ? "" : " http2"};
${servingCertificate.server}
    location / {
      proxy_pass http://127.0.0.1:${http};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Connection close;
      proxy_request_buffering off;
      proxy_max_temp_file_size 0;
    }
${grpc === undefined ? "" : grpcLocation(grpc)}  }
}
`;
}

const grpcLocation = ({ port, path }: NonNullable<TlsBackend["grpc"]>) =>
  `    location ${path} { grpc_pass grpc://127.0.0.1:${port}; }\n`;

/** What tells the post-renderer to put a proxy in front of a server; nothing where there is none. */
export function tlsProxyAnnotations(
  proxy: TlsProxy | undefined,
  backend: TlsBackend,
): PodAnnotations {
  if (proxy === undefined) return {};
  return {
    [tlsProxyAnnotation]: JSON.stringify(proxy),
    [tlsConfigAnnotation]: tlsProxyConfig(backend),
  };
}
