import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { imagePullSecrets } from "../../scaffold/pullSecrets.ts";
import { fixedSizes } from "../../scaffold/sizes.ts";
import { containerSecurity, ownPodSecurity, type RunAs } from "../../scaffold/values.ts";
import { proberLabels } from "../tuf/labels.ts";
import { metricsPort, places } from "./program/settings.ts";

/** What the probe's pod is made of; names are of objects in its namespace. */
export interface ProberPodArgs {
  /** Node 24, as a full reference. */
  image: string;
  /** Names of the Secrets that it is pulled with. */
  pullSecrets: readonly string[];
  runAs: RunAs;
  serviceAccount: pulumi.Input<string>;
  /** Whom the tokens that it signs with are for. */
  audience: string;
  /** ConfigMaps with the packed program and with the settings. */
  program: pulumi.Input<string>;
  settings: pulumi.Input<string>;
}

/** Keys of the program's ConfigMap: what Node starts, and what that unpacks. */
export const programKeys = { start: "start.cjs", packed: "prober.cjs.br" } as const;

/** Unpacks the program and runs it. */
export const startScript = [
  'const { readFileSync, writeFileSync } = require("node:fs");',
  'const { brotliDecompressSync } = require("node:zlib");',
  `const program = brotliDecompressSync(readFileSync("${places.program}/${programKeys.packed}"));`,
  `writeFileSync("${places.scratch}/prober.cjs", program);`,
  `require("${places.scratch}/prober.cjs");\n`,
].join("\n");

/** Seconds that a token lives; Kubernetes renews it after four fifths, and gives none for less. */
const tokenLife = 600;

/** The pod that probes. */
export function proberPod(args: ProberPodArgs): k8s.types.input.core.v1.PodTemplateSpec {
  return {
    metadata: { labels: proberLabels },
    spec: {
      serviceAccountName: args.serviceAccount,
      // The volume below has what it needs: a token for the API, and one to sign with.
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      ...imagePullSecrets(args.pullSecrets),
      securityContext: ownPodSecurity(args.runAs),
      containers: [container(args.image)],
      volumes: [
        { name: "program", configMap: { name: args.program } },
        { name: "settings", configMap: { name: args.settings } },
        { name: "account", projected: { sources: tokens(args.audience) } },
        { name: "scratch", emptyDir: { sizeLimit: "64Mi" } },
      ],
    },
  };
}

function tokens(audience: string): k8s.types.input.core.v1.VolumeProjection[] {
  const life = { expirationSeconds: tokenLife };
  return [
    { serviceAccountToken: { path: "token", ...life } },
    { serviceAccountToken: { path: "identity", audience, ...life } },
    { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
  ];
}

function container(image: string): k8s.types.input.core.v1.Container {
  const health = { httpGet: { path: "/healthz", port: "metrics" } };
  return {
    name: "prober",
    image,
    imagePullPolicy: "IfNotPresent",
    command: ["node", `${places.program}/${programKeys.start}`],
    ports: [{ name: "metrics", containerPort: metricsPort }],
    securityContext: containerSecurity(),
    resources: fixedSizes.prober,
    readinessProbe: { ...health, periodSeconds: 10, timeoutSeconds: 5 },
    livenessProbe: { ...health, periodSeconds: 30, timeoutSeconds: 5, failureThreshold: 3 },
    volumeMounts: [
      { name: "program", mountPath: places.program, readOnly: true },
      { name: "settings", mountPath: places.settings, readOnly: true },
      { name: "account", mountPath: places.account, readOnly: true },
      { name: "scratch", mountPath: places.scratch },
    ],
  };
}
