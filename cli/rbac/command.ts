import * as YAML from "yaml";
import { probeEvery } from "../../infra/config/probe.ts";
import { CannotRun } from "../errors.ts";
import { configOf, findStackFile, readStackFile } from "../rotate/stackFile.ts";
import { deployerManifests, type Subject } from "./manifests.ts";

export interface RbacOptions {
  stack?: string;
  file?: string;
  /** Each NAMESPACE/NAME. */
  serviceAccount?: readonly string[];
  user?: readonly string[];
  group?: readonly string[];
}

const rbac = "rbac.authorization.k8s.io";

/**
 * `anchorhold rbac`: the stack's namespaces and the deploying identities' rights in them, as YAML for
 * `kubectl apply`.
 * @throws CannotRun without an identity, and for a stack file that cannot be read
 */
export async function printRights(options: RbacOptions, out: (text: string) => void) {
  const subjects = subjectsOf(options);
  const file = await findStackFile(options);
  const config = configOf(readStackFile(file).text, file);
  const { prefix, trust, exposure, quota } = config;
  const rekor = Object.keys(trust.rekor).map(Number);
  const monitoring = config.monitoring !== "none" && probeEvery(config) !== undefined;
  const spaces = { prefix, rekor, exposure, quota: quota !== undefined, monitoring };
  const manifests = deployerManifests(spaces, subjects);
  out(manifests.map((manifest) => YAML.stringify(manifest)).join("---\n"));
}

function subjectsOf({ serviceAccount = [], user = [], group = [] }: RbacOptions): Subject[] {
  const subjects: Subject[] = [
    ...serviceAccount.map(serviceAccountOf),
    ...user.map((name) => ({ kind: "User", apiGroup: rbac, name }) as const),
    ...group.map((name) => ({ kind: "Group", apiGroup: rbac, name }) as const),
  ];
  if (subjects.length === 0)
    throw new CannotRun(
      "Name who deploys: --service-account NAMESPACE/NAME, --user or --group, each as often as needed.",
    );
  return subjects;
}

function serviceAccountOf(given: string): Subject {
  const [namespace, name, ...rest] = given.split("/");
  if (!namespace || !name || rest.length > 0)
    throw new CannotRun(`--service-account ${given}: give NAMESPACE/NAME.`);
  return { kind: "ServiceAccount", namespace, name };
}
