/**
 * The Secrets that a pod's images are pulled with, as Kubernetes and the chart's values have them.
 * Nothing at all without any: an empty list would be another pod than before.
 */
export function imagePullSecrets(names: readonly string[] = []): {
  imagePullSecrets?: { name: string }[];
} {
  return names.length === 0 ? {} : { imagePullSecrets: names.map((name) => ({ name })) };
}
