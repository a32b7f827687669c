import { dirname } from "node:path";
import { writeFileSync } from "node:fs";
import { parseOutputs } from "../../cli/verify/outputs.ts";
import { identityToken } from "../../cli/verify/token.ts";
import type { StackOutputs } from "../../infra/outputs.ts";
import { tufNamespace } from "../../infra/scaffold/names.ts";
import { LocalError } from "../errors.ts";
import { ensureEverything } from "../everything.ts";
import { ensureImages } from "../images/index.ts";
import { startNode } from "../node/index.ts";
import { ports } from "../node/ports.ts";
import type { Report } from "../report.ts";
import { chooseChart } from "./chart.ts";
import { useContext } from "./cluster.ts";
import { makeDeployer } from "./deployer.ts";
import { signWithCosign } from "./cosign.ts";
import { kubeconfigFile, outputsFile, prepareHome, stackFile } from "./environment.ts";
import { handThrough } from "./handThrough.ts";
import { failureHint } from "./hints.ts";
import { localImageReferences } from "./images.ts";
import { pulumi } from "./pulumi.ts";
import { waitForStack } from "./ready.ts";
import { assertPassphrase, restoreStack, type RestoreOptions } from "./restore.ts";
import { configuredSpaces, writeStackFile, type Choices } from "./stackFile.ts";
import { chooseCosign, choosePulumi, type PulumiChoice } from "./toolchain.ts";

export interface UpOptions extends Partial<RestoreOptions> {
  /** A context of the caller's kubeconfig; without it a node is built here. */
  context?: string;
  /** Whether that cluster's nodes have the images that are built here. */
  localImages?: boolean;
}

/**
 * The main job: a cluster, the stack on it, and proof that it signs.
 * @throws LocalError when a step fails; the next run goes on from there
 */
export async function up(options: UpOptions, report: Report): Promise<void> {
  const { restore: file, nothingSignedSince = false } = options;
  if (file !== undefined) assertPassphrase();
  prepareHome();
  if (options.context === undefined) await ensureEverything(report);
  const choice = await choosePulumi(report);
  const cosign = await chooseCosign(report);
  const choices = await chooseCluster(options, report);
  const chartPath = await chooseChart(report);
  if (chartPath !== undefined) choices.chartPath = chartPath;
  await writeStackFile(choice, choices);
  if (file === undefined) await deploy(choice, report);
  else await restoreStack({ restore: file, nothingSignedSince }, choice, report);
  await waitForStack(configuredSpaces(), report);
  const outputs = await saveOutputs(choice);
  await verify(choice);
  process.env.KUBECONFIG = kubeconfigFile;
  const signed = await signWithCosign(cosign, outputs, await identityToken({}, outputs));
  report(`cosign: signed and verified a blob by discovery alone, as ${signed.identity}`);
  for (const line of farewell(outputs, signed)) report(line);
}

async function chooseCluster(options: UpOptions, report: Report): Promise<Choices> {
  if (options.context !== undefined) {
    await useContext(options.context, tufNamespace(configuredSpaces().prefix));
    report(`Cluster: context ${options.context}`);
    if (options.localImages !== true) {
      report("Images: the published ones, by digest");
      return {};
    }
    return { images: localImageReferences(await ensureImages(report)) };
  }
  report("Cluster: a node built here from package registries");
  const images = await ensureImages(report);
  const node = await startNode(images, report);
  const deployer = await makeDeployer(node.kubeconfig, configuredSpaces());
  writeFileSync(kubeconfigFile, deployer, { mode: 0o600 });
  report("Images: built here from Go modules and Debian packages, by content hash");
  return { images: localImageReferences(images), apiServerPort: ports["kube-apiserver"] };
}

async function deploy(choice: PulumiChoice, report: Report): Promise<void> {
  report("Deploying: pulumi up -s local");
  const args = ["up", "--yes", "--skip-preview", "--suppress-outputs", "--config-file", stackFile];
  const { code, stderr } = await pulumi(choice, args, { stdio: "inherit" });
  if (code !== 0)
    throw new LocalError(
      `The update failed; what Pulumi said stands above. ${failureHint(stderr)}`,
    );
}

async function saveOutputs(choice: PulumiChoice): Promise<StackOutputs> {
  const { code, stdout, stderr } = await pulumi(choice, ["stack", "output", "--json"], {
    stdio: "capture",
  });
  if (code !== 0) throw new LocalError(`The stack's outputs cannot be read: ${stderr.trim()}`);
  writeFileSync(outputsFile, stdout, { mode: 0o600 });
  return parseOutputs(stdout, "the local stack");
}

async function verify(choice: PulumiChoice): Promise<void> {
  const args = ["cli/main.ts", "verify", "--outputs", outputsFile];
  const code = await handThrough(process.execPath, args, [dirname(choice.pulumi)]);
  if (code !== 0) throw new LocalError("`anchorhold verify` found the faults that stand above.");
}

function farewell(outputs: StackOutputs, signed: { identity: string; issuer: string }): string[] {
  const { url, rootUrl, rootSha256 } = outputs.mirror;
  return [
    "",
    "Your Sigstore runs. On any machine that reaches it:",
    `  cosign initialize --mirror ${url} --root ${rootUrl} --root-checksum ${rootSha256}`,
    "  cosign sign-blob FILE --bundle FILE.sigstore.json",
    "  cosign verify-blob FILE --bundle FILE.sigstore.json \\",
    `    --certificate-identity ${signed.identity} \\`,
    `    --certificate-oidc-issuer ${signed.issuer}`,
  ];
}
