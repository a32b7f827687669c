// Every program that is built from a Go module: what, which version, how it is linked. Only data.
import { join } from "node:path";
import { kindVersion } from "../kind/config.ts";

/** A program built from its Go module, as `go build` needs it. */
export interface Program {
  /** The binary's file name. */
  name: string;
  /** Go module and its version, e.g. "v3.20.0"; without a module the version is our own. */
  module?: string;
  version: string;
  /** The main package's import path; absent: our own source in `source`. */
  package?: string;
  /** The folder of our own main package, with its file main.go. */
  source?: string;
  /** Build tags. */
  tags?: readonly string[];
  /** Stand-ins for modules that not every module proxy has: folders in `source`, by module. */
  standIns?: Readonly<Record<string, string>>;
  /** Variables set by the linker (-X): import path and name, to value. */
  variables?: Readonly<Record<string, string>>;
  /**
   * The version under which the module's staging modules are published: its go.mod points at
   * them by relative paths, which hold only inside its own repository.
   */
  staging?: string;
  /** Modules in another version than the program's own go.mod asks for, by name. */
  replaces?: Readonly<Record<string, string>>;
  /**
   * Lines of go.sum for modules that Go's checksum database does not know: what was downloaded is
   * held against them.
   */
  sums?: readonly string[];
  /** Further names of the binary, which acts by the name it is called by. */
  aliases?: readonly string[];
}

const releaseUtils = "sigs.k8s.io/release-utils/version.gitVersion";
const kubernetes = "1.34.2";
const pulumi = "v3.250.0";
const trillian = { module: "github.com/google/trillian", version: "v1.7.2" };

/** Tools that run on this machine. */
export const tools = {
  // 1.35 and later refuse cgroup v1.
  kubernetes: {
    name: "kubernetes",
    module: "k8s.io/kubernetes",
    version: `v${kubernetes}`,
    source: join(import.meta.dirname, "kubernetes"),
    staging: `v0.${kubernetes.slice(2)}`,
    variables: {
      "k8s.io/component-base/version.gitVersion": `v${kubernetes}`,
      "k8s.io/component-base/version.gitMajor": kubernetes.split(".")[0] ?? "",
      "k8s.io/component-base/version.gitMinor": kubernetes.split(".")[1] ?? "",
      "k8s.io/client-go/pkg/version.gitVersion": `v${kubernetes}`,
    },
    aliases: [
      "kube-apiserver",
      "kube-controller-manager",
      "kube-scheduler",
      "kube-proxy",
      "kubelet",
      "kubectl",
    ],
  },
  pulumi: {
    name: "pulumi",
    module: "github.com/pulumi/pulumi/pkg/v3",
    version: pulumi,
    package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    // Without it the engine reports no version, which the Node.js SDK cannot parse.
    variables: { "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": pulumi },
  },
  cosign: {
    name: "cosign",
    module: "github.com/sigstore/cosign/v3",
    version: "v3.1.3",
    package: "github.com/sigstore/cosign/v3/cmd/cosign",
    variables: { [releaseUtils]: "v3.1.3" },
  },
  // Helm 3, as the official Kubernetes plugin embeds it; Helm 4 renders and waits differently.
  helm: {
    name: "helm",
    module: "helm.sh/helm/v3",
    version: "v3.20.0",
    package: "helm.sh/helm/v3/cmd/helm",
    variables: { "helm.sh/helm/v3/internal/version.version": "v3.20.0" },
  },
  crane: {
    name: "crane",
    module: "github.com/google/go-containerregistry",
    version: "v0.21.7",
    package: "github.com/google/go-containerregistry/cmd/crane",
    variables: { "github.com/google/go-containerregistry/cmd/crane/cmd.Version": "v0.21.7" },
  },
} as const satisfies Record<string, Program>;

/** Makes a cluster in a container; needed only where Docker or Podman runs and kind cannot be had. */
export const kind: Program = {
  name: "kind",
  module: "sigs.k8s.io/kind",
  version: kindVersion,
  package: "sigs.k8s.io/kind",
};

const networkPolicies = { module: "sigs.k8s.io/kube-network-policies", version: "v0.8.0" };
const policyApi = "sigs.k8s.io/network-policy-api v0.1.6-0.20250401132235-45061d10895e";

/** Makes a node keep its network policies; the tests that ask for it build it. */
export const enforcer: Program = {
  ...networkPolicies,
  name: "enforcer",
  source: join(import.meta.dirname, "enforcer"),
  // The module's own as it was first seen, and of the other what the module's go.sum says.
  sums: [
    `${networkPolicies.module} ${networkPolicies.version} h1:dzecRNzdmg+VmHEQWTIjxnCgf412J+8CKHqbKgCiWkk=`,
    `${networkPolicies.module} ${networkPolicies.version}/go.mod h1:QNAmb/exAiL032oNq0/QhfYl5H+jEFFDF0qVXpIOkeI=`,
    `${policyApi} h1:b5Vm5aa0I37gToQmFhQ+gQMZVsPsxSiJzxZWtSCs99w=`,
    `${policyApi}/go.mod h1:8J+z3UB9HgeqbmYprl6OKIobEDv27A3KRHPcteJ61rw=`,
  ],
};

const registryLogin = "github.com/google/go-containerregistry/pkg/authn";
const admission = { module: "github.com/sigstore/policy-controller", version: "v0.15.1" };

/** Asks at a cluster's door for signatures; the tests that ask for it build it. */
export const policyController: Program = {
  ...admission,
  name: "policy-controller",
  package: `${admission.module}/cmd/webhook`,
  variables: { [releaseUtils]: admission.version },
  // Logging in to registries; not every module proxy has the snapshots of March 2026.
  replaces: {
    [`${registryLogin}/k8schain`]: "v0.0.0-20230919002926-dbcd01c402b2",
    [`${registryLogin}/kubernetes`]: "v0.0.0-20260224031529-85f2bf5f7303",
  },
};

/** Tells whether alert rules fire; the tests that ask for it build it. */
export const promtool: Program = {
  name: "promtool",
  module: "github.com/prometheus/prometheus",
  version: "v0.316.0",
  package: "github.com/prometheus/prometheus/cmd/promtool",
  // Without the clients of forty clouds, in which Prometheus would look for what to watch.
  tags: ["remove_all_sd"],
  variables: { "github.com/prometheus/common/version.Version": "3.16.0" },
};

/**
 * Takes jobs from GitLab and runs them; the tests that ask for it build it. Its releases have no
 * version that Go knows: this commit of 3 September 2026 is on the way to 19.4.
 */
export const gitlabRunner: Program = {
  name: "gitlab-runner",
  module: "gitlab.com/gitlab-org/gitlab-runner",
  version: "v1.11.1-0.20260903214710-fc1f1862bd91",
  source: join(import.meta.dirname, "gitlabRunner"),
  standIns: {
    "gitlab.com/ajwalker/phrasestream": "standins/phrasestream",
    "gitlab.com/gitlab-org/gitlab-runner/helpers/runner_wrapper/api": "standins/wrapper",
    "gitlab.com/gitlab-org/labkit/v2": "standins/labkit",
    "gitlab.com/gitlab-org/moa": "standins/moa",
    "gitlab.com/gitlab-org/step-runner": "standins/steprunner",
  },
};

/** Programs that run in the cluster, each in an image of its own. */
export const services = {
  fulcio: {
    name: "fulcio",
    module: "github.com/sigstore/fulcio",
    version: "v1.8.8",
    package: "github.com/sigstore/fulcio",
    variables: { [releaseUtils]: "v1.8.8" },
  },
  rekor: {
    name: "rekor-server",
    module: "github.com/sigstore/rekor",
    version: "v1.5.4",
    package: "github.com/sigstore/rekor/cmd/rekor-server",
    variables: { [releaseUtils]: "v1.5.4" },
  },
  "timestamp-server": {
    name: "timestamp-server",
    module: "github.com/sigstore/timestamp-authority/v2",
    version: "v2.1.3",
    package: "github.com/sigstore/timestamp-authority/v2/cmd/timestamp-server",
    variables: { [releaseUtils]: "v2.1.3" },
  },
  "trillian-log-server": {
    ...trillian,
    name: "trillian_log_server",
    package: `${trillian.module}/cmd/trillian_log_server`,
  },
  "trillian-log-signer": {
    ...trillian,
    name: "trillian_log_signer",
    package: `${trillian.module}/cmd/trillian_log_signer`,
  },
  "ct-server": {
    name: "ct_server",
    module: "github.com/google/certificate-transparency-go",
    version: "v1.3.2",
    package: "github.com/google/certificate-transparency-go/trillian/ctfe/ct_server",
  },
  coredns: {
    name: "coredns",
    module: "github.com/coredns/coredns",
    version: "v1.12.4",
    package: "github.com/coredns/coredns",
  },
} as const satisfies Record<string, Program>;
