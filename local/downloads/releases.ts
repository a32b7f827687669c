// Official releases that can be downloaded: what, which version, where from. Only data.
import { createRequire } from "node:module";
import { kindVersion } from "../kind/config.ts";
import { tools } from "../tools/programs.ts";

/** One file of a release, with the list that has its digest. */
export interface Release {
  name: string;
  /** With the leading "v". */
  version: string;
  url: string;
  /** The list of digests that the release publishes. */
  checksums: string;
  /** What becomes of the file: unpacked, made executable, or kept as it came. */
  use: "unpack" | "program" | "keep";
  /** The program within the release's folder; with `keep`, the file. */
  file: string;
}

/** A name for this machine's processor, as Go has it (amd64, arm64). */
const goArch = process.arch === "x64" ? "amd64" : process.arch;

/** The plugins of the program, of the versions that its SDKs ask for. */
export const pluginNames = ["kubernetes", "random", "tls", "command"] as const;
export type PluginName = (typeof pluginNames)[number];

/**
 * The command line with its language hosts. The version is that of the build that stands in for it.
 * Layout: https://www.pulumi.com/docs/iac/download-install/versions/
 */
export function pulumiRelease(): Release {
  const { version } = tools.pulumi;
  const folder = "https://get.pulumi.com/releases/sdk";
  return {
    name: "pulumi",
    version,
    url: `${folder}/pulumi-${version}-${process.platform}-${process.arch}.tar.gz`,
    checksums: `${folder}/pulumi-${version.slice(1)}-checksums.txt`,
    use: "unpack",
    file: "pulumi/pulumi",
  };
}

/** A plugin's archive: where the engine would look first, too. */
export function pluginRelease(name: PluginName): Release {
  const load = createRequire(import.meta.url);
  const sdk = load(`@pulumi/${name}/package.json`) as { pulumi: { version: string } };
  const version = sdk.pulumi.version;
  const folder = `https://github.com/pulumi/pulumi-${name}/releases/download/v${version}`;
  const file = `pulumi-resource-${name}-v${version}-${process.platform}-${goArch}.tar.gz`;
  return {
    name: `pulumi-resource-${name}`,
    version: `v${version}`,
    url: `${folder}/${file}`,
    checksums: `${folder}/pulumi-${name}_${version}_checksums.txt`,
    use: "keep",
    file,
  };
}

/** Layout: https://kind.sigs.k8s.io/docs/user/quick-start/ and kind's own release notes. */
export function kindRelease(): Release {
  const folder = `https://github.com/kubernetes-sigs/kind/releases/download/${kindVersion}`;
  const url = `${folder}/kind-${process.platform}-${goArch}`;
  return {
    name: "kind",
    version: kindVersion,
    url,
    checksums: `${url}.sha256sum`,
    use: "program",
    file: "kind",
  };
}
