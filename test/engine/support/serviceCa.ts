import { servingCertAnnotation } from "../../../infra/scaffold/postrender/tlsProxy.ts";
import { refOf } from "../../../local/pulumi/kubernetes/cluster.ts";
import type { MemoryCluster } from "../../../local/pulumi/kubernetes/memoryCluster.ts";
import { textAt } from "../../../local/pulumi/values.ts";
import { serverCertificate, tlsSecret } from "../../support/tlsSecret.ts";

/**
 * Stands in for OpenShift's service CA: each Service that asks gets its Secret as soon as it is written.
 * @param names SERVICE.NAMESPACE.svc of all that will ask: another one is an error
 * @returns ends it
 */
export async function playServiceCa(
  cluster: MemoryCluster,
  names: readonly string[],
): Promise<() => void> {
  const pairs = new Map(
    await Promise.all(
      names.map(async (name) => [name, await serverCertificate({ names: [name] })] as const),
    ),
  );
  const before = cluster.afterWrite;
  cluster.afterWrite = (verb, object) => {
    before(verb, object);
    const { kind, namespace, name } = refOf(object);
    const secret = textAt(object, "metadata", "annotations", servingCertAnnotation);
    if (kind !== "Service" || secret === "") return;
    const pair = pairs.get(`${name}.${namespace}.svc`);
    if (pair === undefined) throw new Error(`${namespace}/${name} asks for a certificate`);
    const metadata = { namespace, name: secret };
    cluster.put({ apiVersion: "v1", kind: "Secret", metadata, ...tlsSecret(pair) });
  };
  return () => {
    cluster.afterWrite = before;
  };
}
