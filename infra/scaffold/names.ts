/**
 * Names, ports and keys that the chart's objects have with our values: what other resources may
 * point at. They are fixed because each component has a namespace of its own.
 */

import { tlsPodPort } from "./postrender/tlsProxy.ts";

export type ScaffoldComponent = "trillian" | "ctlog" | "rekor" | "tsa" | "fulcio";

/** The namespace of a component, e.g. `sigstore-tsa`. */
export function componentNamespace(
  prefix: string,
  component: Exclude<ScaffoldComponent, "rekor">,
): string {
  return `${prefix}-${component}`;
}

/** The namespace of a Rekor generation, e.g. `sigstore-rekor-1`. */
export function rekorNamespace(prefix: string, generation: number): string {
  return `${prefix}-rekor-${generation}`;
}

/** The namespace of the TUF mirror, of its signer and of the probe. */
export function tufNamespace(prefix: string): string {
  return `${prefix}-tuf`;
}

/** Everything that has namespaces of its own; each Rekor generation has one. */
export const components = ["trillian", "ctLog", "tsa", "fulcio", "rekor", "tuf"] as const;
export type Component = (typeof components)[number];

/** Every namespace of a stack, and whose it is. */
export function spaces(
  prefix: string,
  rekorGenerations: readonly number[],
): { namespace: string; component: Component }[] {
  return [
    { namespace: componentNamespace(prefix, "trillian"), component: "trillian" },
    { namespace: componentNamespace(prefix, "ctlog"), component: "ctLog" },
    { namespace: componentNamespace(prefix, "tsa"), component: "tsa" },
    { namespace: componentNamespace(prefix, "fulcio"), component: "fulcio" },
    ...rekorGenerations.map((generation) => ({
      namespace: rekorNamespace(prefix, generation),
      component: "rekor" as const,
    })),
    { namespace: tufNamespace(prefix), component: "tuf" },
  ];
}

/** The names of every namespace of a stack. */
export function stackNamespaces(prefix: string, rekorGenerations: readonly number[]): string[] {
  return spaces(prefix, rekorGenerations).map(({ namespace }) => namespace);
}

/** The ports that pods listen on, which network policies name. */
export const podPorts = {
  ctLog: 6962,
  fulcio: 5555,
  fulcioGrpc: 5554,
  rekor: 3000,
  redis: 6379,
  tsa: 5555,
  tuf: 8080,
  /** TLS in front of each of them, where a Route re-encrypts. */
  tls: tlsPodPort,
} as const;

/** Trillian's Services and Deployments. */
export const trillianNames = {
  logServer: "trillian-logserver",
  logSigner: "trillian-logsigner",
  database: "trillian-mysql",
} as const;

/** The log server: gRPC for ct_server, Rekor and the making of trees; HTTP for health. */
export const trillianPorts = { rpc: 8091, http: 8090, database: 3306 } as const;

/**
 * The database and its user. Trillian reads both from the Secret; MySQL's container reads these
 * values when it makes an empty volume's database, so the Secret must say the same.
 */
export const trillianDatabase = { name: "trillian", user: "trillian" } as const;

/** Keys of the database Secret that the chart reads. */
export const databaseSecretKeys = {
  rootPassword: "mysql-root-password",
  password: "mysql-password",
  user: "mysql-user",
  database: "mysql-database",
} as const;

/** `trillian-logserver.<namespace>.svc`, as Rekor and ct_server reach it inside the cluster. */
export function trillianHost(namespace: string): string {
  return `${trillianNames.logServer}.${namespace}.svc`;
}

export const ctLogName = "ctlog";
/** Where the whole config Secret is mounted; ct_server reads the key `config`, which may name others. */
export const ctLogSecretMount = "/ctfe-keys";

export const tsaName = "tsa-server";
/** Keys of the TSA's Secret: the PEM key and its password, which may be empty but must be there. */
export const tsaSecretKeys = { privateKey: "private", password: "password" } as const;

export const fulcioName = "fulcio-server";
/** Keys of Fulcio's Secret: PEM key, its password (may be empty) and the chain, issuer first. */
export const fulcioSecretKeys = {
  privateKey: "private",
  password: "password",
  chain: "cert",
} as const;

/** Key of a Rekor generation's signer Secret: a PKCS#8 PEM without a password. */
export const rekorSecretKey = "private";

/** The names of one Rekor generation's objects. */
export function rekorNames(generation: number) {
  const base = `rekor-${generation}`;
  return {
    base,
    server: `${base}-server`,
    redis: `${base}-redis`,
    createTree: `${base}-createtree`,
  } as const;
}

/** The port of every client-facing Service inside the cluster. */
export const servicePort = 80;

/** How that port is called in each Service, after the chart's own defaults. */
export const httpPortNames = {
  fulcio: "http",
  tsa: "http",
  ctLog: "6962-tcp",
  rekor: "3000-tcp",
} as const;

/** Fulcio's port for gRPC, of its Service and of its pods; not on a node port. */
export const fulcioGrpc = { name: "grpc", number: 5554 } as const;

/** All methods of Fulcio's gRPC service (fulcio.proto: package dev.sigstore.fulcio.v2, service CA). */
export const fulcioGrpcPath = "/dev.sigstore.fulcio.v2.CA/";
