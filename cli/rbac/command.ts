import * as YAML from "yaml";
import { CannotRun } from "../errors.ts";
import { configOf, findStackFile, readStackFile } from "../rotate/stackFile.ts";
import { deployerManifests, type Subject } from "./manifests.ts";

export interface RbacOptions {
  stack?: string;
  file?: string;
  /** NAMESPACE/NAME */
  serviceAccount?: string;
  user?: string;
  group?: string;
}

const rbac = "rbac.authorization.k8s.io";

/**
 * `anchorhold rbac`: the stack's namespaces and the deploying identity's rights in them, as YAML for
 * `kubectl apply`.
 * @throws CannotRun without exactly one identity, and for a stack file that cannot be read
 */
export async function printRights(options: RbacOptions, out: (text: string) => void) {
  const subject = subjectOf(options);
  const file = await findStackFile(options);
  const { prefix, trust, exposure, quota } = configOf(readStackFile(file).text, file);
  const rekor = Object.keys(trust.rekor).map(Number);
  const spaces = { prefix, rekor, exposure, quota: quota !== undefined };
  const manifests = deployerManifests(spaces, subject);
  out(manifests.map((manifest) => YAML.stringify(manifest)).join("---\n"));
}

function subjectOf({ serviceAccount, user, group }: RbacOptions): Subject {
  const given = [serviceAccount, user, group].filter((name) => name !== undefined);
  if (given.length !== 1)
    throw new CannotRun(
      "Name the identity that deploys: one of --service-account NAMESPACE/NAME, --user, --group.",
    );
  if (user !== undefined) return { kind: "User", apiGroup: rbac, name: user };
  if (group !== undefined) return { kind: "Group", apiGroup: rbac, name: group };
  const [namespace, name, ...rest] = (serviceAccount ?? "").split("/");
  if (!namespace || !name || rest.length > 0)
    throw new CannotRun(`--service-account ${serviceAccount}: give NAMESPACE/NAME.`);
  return { kind: "ServiceAccount", namespace, name };
}
