import * as YAML from "yaml";
import type { StackOutputs } from "../../infra/outputs.ts";
import { CannotRun, oneLine } from "../errors.ts";
import { readOutputs } from "../verify/outputs.ts";
import { controllerFlags, controllerRoot } from "./controllerRoot.ts";
import { imagePolicy, type PolicyOf } from "./policy.ts";
import { carry } from "./repository.ts";
import { parseSigner } from "./signer.ts";
import { mirrorUrl, trustRoot, type TrustRoot } from "./trustRoot.ts";

export interface AdmissionOptions {
  stack?: string;
  outputs?: string;
  image?: readonly string[];
  /** Each "ISSUER SUBJECT". */
  signer?: readonly string[];
  signerRegexp?: readonly string[];
  name?: string;
  warn?: boolean;
  mirror?: string;
  airGapped?: boolean;
  controllerRoot?: boolean;
  namespace?: string;
}

/**
 * `anchorhold admission`: what policy-controller shall trust and, for the images that are named, a
 * ClusterImagePolicy that uses it, as YAML for `kubectl apply`.
 * @throws CannotRun for bad options, without outputs, and when the mirror cannot be read for an air gap
 */
export async function printAdmission(options: AdmissionOptions, out: (text: string) => void) {
  const { airGapped = false, controllerRoot: own = false, namespace = "cosign-system" } = options;
  if (airGapped && own)
    throw new CannotRun(
      "--air-gapped and --controller-root: a controller with a root of its own needs the mirror.",
    );
  const outputs = await readOutputs({ file: options.outputs, stack: options.stack });
  const policy = policyOf(options, outputs);
  const mirror = options.mirror === undefined ? outputs.mirror.url : mirrorUrl(options.mirror);
  const root = own
    ? controllerRoot(outputs, dnsName("--namespace", namespace))
    : await trustRootOf(outputs, mirror, airGapped);
  const note = own ? `# policy-controller's flags: ${controllerFlags(mirror).join(" ")}\n` : "";
  const manifests = policy ? [root, imagePolicy(outputs, policy)] : [root];
  const texts = manifests.map((manifest) => YAML.stringify(manifest, { lineWidth: 0 }));
  out(note + texts.join("---\n"));
}

async function trustRootOf(
  outputs: StackOutputs,
  mirror: string,
  airGapped: boolean,
): Promise<TrustRoot> {
  if (!airGapped) return trustRoot(outputs, { mirror });
  const { initialRoot } = outputs;
  const carried = await carry({ url: mirror, initialRoot }).catch((error: unknown) => {
    throw new CannotRun(
      `The mirror at ${mirror} cannot be taken along: ${oneLine(error)}. ` +
        "Run it where the mirror is reached; anchorhold verify says what is wrong with it.",
    );
  });
  return trustRoot(outputs, carried);
}

function policyOf(options: AdmissionOptions, outputs: StackOutputs): PolicyOf | undefined {
  const { image = [], signer = [], signerRegexp = [], name, warn = false } = options;
  const issuers = outputs.issuers.map(({ issuer }) => issuer);
  const signers = [
    ...signer.map((given) => parseSigner("--signer", given, issuers)),
    ...signerRegexp.map((given) => parseSigner("--signer-regexp", given, issuers)),
  ];
  const images = image.map(glob);
  if (images.length + signers.length === 0 && name === undefined && !warn) return undefined;
  if (images.length === 0 || signers.length === 0)
    throw new CannotRun(
      'A policy needs images and who may sign them: --image GLOB and --signer "ISSUER SUBJECT", ' +
        "each as often as needed.",
    );
  return {
    name: dnsName("--name", name ?? `${outputs.prefix}-signed`),
    images,
    signers,
    warn,
    root: options.controllerRoot ? "controller" : "trustRoot",
  };
}

/** A glob in the characters that policy-controller takes. */
function glob(given: string): string {
  if (!/^[-a-zA-Z0-9_:/*.@]+$/.test(given))
    throw new CannotRun(
      `--image ${given}: give a glob of an image's full name, such as registry.example.com/team/**.`,
    );
  return given;
}

/** A DNS-1123 name of an object. */
function dnsName(option: string, given: string): string {
  if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(given) || given.length > 253)
    throw new CannotRun(`${option} ${given}: give lower-case letters, digits, dots and dashes.`);
  return given;
}
