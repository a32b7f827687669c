/** The labels by which Kubernetes' own admission knows the Pod Security Standards. */
const domain = "pod-security.kubernetes.io/";

/**
 * The "restricted" standard on a namespace: a pod that does not keep it is refused, whoever made it.
 * https://kubernetes.io/docs/concepts/security/pod-security-admission/
 */
export const podSecurityLabels: Readonly<Record<string, string>> = Object.fromEntries(
  ["enforce", "warn", "audit"].flatMap((mode) => [
    [`${domain}${mode}`, "restricted"],
    [`${domain}${mode}-version`, "latest"],
  ]),
);

/** Labels of the configuration that would weaken what the program sets. */
export function labelProblems(labels: Readonly<Record<string, string>>): string[] {
  return Object.keys(labels)
    .filter((label) => label.startsWith(domain))
    .map(
      (label) =>
        `${label} is the program's: every namespace enforces "restricted"; remove the line`,
    );
}
