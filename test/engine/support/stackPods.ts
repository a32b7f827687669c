import { proberPod } from "../../../infra/platform/prober/pod.ts";
import { mirrorLabels, proberLabels, signerLabels } from "../../../infra/platform/tuf/labels.ts";
import { servingPod } from "../../../infra/platform/tuf/servingPod.ts";
import { signerPod } from "../../../infra/platform/tuf/signerPod.ts";
import { imageReference, publishedImages as images } from "../../../infra/scaffold/images.ts";
import type { Component } from "../../../infra/scaffold/names.ts";
import type { Manifest } from "../../../infra/scaffold/postrender/manifest.ts";
import { postrenderPath } from "../../../infra/scaffold/postrenderFiles.ts";
import { sizesOf } from "../../../infra/scaffold/sizes.ts";
import { chartImage } from "../../../infra/scaffold/values/common.ts";
import { samples, type Sample } from "../../support/scaffoldSamples.ts";
import { objects, projectDir } from "./helm.ts";

type Amounts = Record<string, string>;

interface ContainerSpec {
  name: string;
  image: string;
  ports?: { containerPort: number }[];
  resources: { requests?: Amounts; limits?: Amounts };
  securityContext?: {
    readOnlyRootFilesystem?: boolean;
    allowPrivilegeEscalation?: boolean;
    capabilities?: { drop?: string[] };
  };
}

/** The parts of a pod that tests look at. */
export interface PodSpec {
  automountServiceAccountToken?: boolean;
  securityContext?: { runAsNonRoot?: boolean; seccompProfile?: { type?: string } };
  initContainers?: ContainerSpec[];
  containers: ContainerSpec[];
  volumes?: { projected?: { sources: { serviceAccountToken?: { audience?: string } }[] } }[];
}

/** What makes pods. */
export interface PodOwner {
  name: string;
  kind: string;
  component: Component;
  labels: Record<string, string>;
  pod: PodSpec;
  /** Pods at the worst moment of an update. */
  most: number;
}

interface Deployment {
  replicas: number;
  strategy?: { type?: string; rollingUpdate?: { maxSurge?: number } };
  template: { metadata: { labels: Record<string, string> }; spec: PodSpec };
}

/** Kubernetes' default surge is a quarter, rounded up (apps/v1, DeploymentStrategy). */
function mostOf({ replicas, strategy }: Deployment): number {
  if (strategy?.type === "Recreate") return replicas;
  return replicas + (strategy?.rollingUpdate?.maxSurge ?? Math.ceil(replicas / 4));
}

const componentOf: Record<string, Component> = {
  "rekor-1": "rekor",
  ctlog: "ctLog",
  fulcio: "fulcio",
  trillian: "trillian",
  tsa: "tsa",
};

function ownerOf({ kind, metadata, spec }: Manifest, release: string): PodOwner {
  const deployment = spec as Deployment;
  const { template } = deployment;
  return {
    ...{ name: metadata.name, kind, labels: template.metadata.labels, pod: template.spec },
    component: componentOf[release]!,
    most: mostOf(deployment),
  };
}

/** The sample of Fulcio has an image of this machine, to show that one. */
function published(sample: Sample): Sample {
  const fulcio = sample.values["fulcio"] as { enabled: boolean; server?: object };
  if (!fulcio.enabled) return sample;
  const server = { ...fulcio.server, image: chartImage(images.fulcioServer) };
  return { ...sample, values: { ...sample.values, fulcio: { ...fulcio, server } } };
}

function charts(helm: string): PodOwner[] {
  const postrender = postrenderPath(projectDir);
  return samples["nodePort"]!.flatMap((sample) =>
    objects(helm, "./local/chart/scaffold", published(sample), postrender)
      .filter(({ kind }) => kind === "Deployment")
      .map((manifest) => ownerOf(manifest, sample.release)),
  );
}

const common = { pullSecrets: [], runAs: undefined };

/** The program's own: the next state of the mirror beside the one that serves, Job and schedule. */
function own(): PodOwner[] {
  const signer = signerPod(
    {
      ...{ ...common, namespace: "tuf", image: imageReference(images.node) },
      ...{ serviceAccount: "tuf-signer", secret: "key", program: "program", programPaths: [] },
      ...{ state: "tuf-timestamp", lifeSeconds: 60 },
    },
    { configMap: "repository", key: "1.snapshot.json" },
  );
  const mirror = servingPod(
    { ...common, image: imageReference(images.nginx), resources: sizesOf().tuf },
    [],
    { repository: "repository", timestamp: { name: "tuf-timestamp", key: "1" } },
  );
  const prober = proberPod({
    ...{ ...common, image: imageReference(images.node), audience: "sigstore" },
    ...{ serviceAccount: "prober", program: "program", settings: "settings" },
  });
  const component = "tuf" as const;
  return [
    {
      ...{ name: "tuf-mirror", kind: "Deployment", component, labels: mirrorLabels },
      ...{ pod: mirror as PodSpec, most: 2 },
    },
    {
      ...{ name: "tuf-signer", kind: "Job", component, labels: signerLabels },
      ...{ pod: signer.spec as PodSpec, most: 2 },
    },
    {
      ...{ name: "prober", kind: "Deployment", component, labels: proberLabels },
      ...{ pod: prober.spec as PodSpec, most: 1 },
    },
  ];
}

/** Everything of the stack that makes pods, rendered from the stand-in chart, and the program's own. */
export function allPods(helm: string): PodOwner[] {
  return [...charts(helm), ...own()];
}
