import { dirname } from "node:path";
import { writeFileSync } from "node:fs";
import { parseOutputs } from "../../cli/verify/outputs.ts";
import { identityToken } from "../../cli/verify/token.ts";
import type { StackOutputs } from "../../infra/outputs.ts";
import { tufNamespace } from "../../infra/scaffold/names.ts";
import { LocalError } from "../errors.ts";
import { ensureEverything } from "../everything.ts";
import { ensureImages, type ImageName, type LocalImage } from "../images/index.ts";
import { startKind } from "../kind/index.ts";
import { chooseRungs, type Chosen, type LadderOptions } from "../ladder/index.ts";
import { startNode } from "../node/index.ts";
import { ports } from "../node/ports.ts";
import type { Report } from "../report.ts";
import type { Choices } from "./choices.ts";
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
import { committedPorts } from "./committed.ts";
import { configuredSpaces, writeStackFile } from "./stackFile.ts";
import { chooseCosign, ensurePulumi, type PulumiChoice } from "./toolchain.ts";

export interface UpOptions extends LadderOptions, Partial<RestoreOptions> {}

/**
 * The main job: a cluster, the stack on it, and proof that it signs.
 * @throws LocalError when a step fails; the next run goes on from there
 */
export async function up(options: UpOptions, report: Report): Promise<void> {
  const { restore: file, nothingSignedSince = false } = options;
  if (file !== undefined) assertPassphrase();
  const chosen = await chooseRungs(options, report);
  prepareHome();
  if (chosen.rungs.cluster === "node") await ensureEverything(chosen.rungs.pulumi, report);
  const choice = await ensurePulumi(chosen.rungs, report);
  const cosign = await chooseCosign(report);
  const choices = await startCluster(chosen, report);
  await writeStackFile(choice, { ...choices, ...chosen.chart, rungs: chosen.rungs });
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

/**
 * Starts the cluster, with the identity that deploys into it.
 * @returns what the configuration has to know of it
 */
async function startCluster({ rungs, context }: Chosen, report: Report): Promise<Choices> {
  const isBuilt = rungs.images === "built";
  if (rungs.cluster === "context") {
    if (context === undefined) throw new Error("no context was chosen");
    await useContext(context, tufNamespace(configuredSpaces().prefix));
    return { context, ...(isBuilt ? referencesOf(await ensureImages(report)) : {}) };
  }
  if (rungs.cluster === "kind") {
    const images = isBuilt ? await ensureImages(report) : undefined;
    const { kubeconfig } = await startKind(
      committedPorts(),
      images === undefined ? [] : Object.values(images),
      report,
    );
    await deployAs(kubeconfig);
    return images === undefined ? {} : referencesOf(images);
  }
  // The node itself needs some of them, whatever the stack takes.
  const images = await ensureImages(report);
  const { kubeconfig } = await startNode(images, report);
  await deployAs(kubeconfig);
  return { apiServerPort: ports["kube-apiserver"], ...(isBuilt ? referencesOf(images) : {}) };
}

const referencesOf = (images: Readonly<Record<ImageName, LocalImage>>): Choices => ({
  images: localImageReferences(images),
});

/** From now on everything here acts as the identity that deploys, not as the administrator. */
async function deployAs(adminKubeconfig: string): Promise<void> {
  const deployer = await makeDeployer(adminKubeconfig, configuredSpaces());
  writeFileSync(kubeconfigFile, deployer, { mode: 0o600 });
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
