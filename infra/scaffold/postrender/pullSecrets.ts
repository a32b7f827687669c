import { deploymentSpec, withPod, type Manifest } from "./manifest.ts";

/** On a pod whose chart takes no pull secrets, the TSA's: their names, with commas between them. */
export const pullSecretsAnnotation = "anchorhold.dev/pull-secrets";

/** Gives such a pod its pull secrets; any that the chart has set stay. */
export function withPullSecrets(manifest: Manifest): Manifest {
  const names = deploymentSpec(manifest)?.template.metadata?.annotations?.[pullSecretsAnnotation];
  if (names === undefined) return manifest;
  const imagePullSecrets = names.split(",").map((name) => ({ name }));
  return withPod(manifest, (pod) => ({ imagePullSecrets, ...pod }));
}
