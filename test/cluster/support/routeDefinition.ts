import { copyFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheDir } from "../../../local/paths.ts";
import { moduleSource } from "../../../local/tools/gobuild.ts";
import { ensureStored } from "../../../local/tools/store.ts";

/** OpenShift's API types; the definition of Route is generated from them. */
const openshiftApi = {
  name: "OpenShift's API definitions",
  module: "github.com/openshift/api",
  version: "v0.0.0-20251015095338-264e80a2b6e7",
};

const path = "route/v1/zz_generated.crd-manifests/routes.crd.yaml";

/** The file with OpenShift's definition of Route, from its Go module; cached by version. */
export async function routeDefinition(): Promise<string> {
  const directory = join(cacheDir, "definitions", `openshift-api-${openshiftApi.version}`);
  const download = async (draft: string): Promise<void> => {
    const module = join(draft, "go.mod");
    await writeFile(module, "module definitions\n");
    const source = await moduleSource(openshiftApi, draft);
    await copyFile(join(source, path), join(draft, "routes.crd.yaml"));
    await rm(module);
  };
  await ensureStored(directory, openshiftApi.name, download, () => undefined);
  return join(directory, "routes.crd.yaml");
}
