import { X509Certificate } from "node:crypto";
import * as z from "zod";

/** What a ConfigMap can hold (1 MiB), with room for what else is written of it. */
const limit = 512 * 1024;

const block = /-----BEGIN ([^-\r\n]+)-----[^]*?-----END \1-----/g;

/** What is wrong with one block of a PEM text; undefined for the certificate of a CA in use. */
function blockProblem(label: string, pem: string, at: string, now: Date): string | undefined {
  if (label.endsWith("PRIVATE KEY"))
    return (
      `${at} is a private key, which nobody but its CA may have: take it out, and if this file was ` +
      "shared, replace that CA"
    );
  if (label !== "CERTIFICATE") return `${at} is a ${label}, not a CERTIFICATE: take it out`;
  const certificate = parsed(pem);
  if (certificate === undefined) return `${at} cannot be read as a certificate: copy it anew`;
  const subject = certificate.subject.replaceAll("\n", ", ");
  if (!certificate.ca)
    return (
      `${at} (${subject}) is no CA's certificate (basicConstraints, keyCertSign): give the one of ` +
      "the CA that issued it"
    );
  if (certificate.validToDate <= now)
    return `${at} (${subject}) expired at ${certificate.validToDate.toISOString()}: take it out`;
  return undefined;
}

function parsed(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

/**
 * What is wrong with a bundle of CA certificates in PEM (RFC 7468); words between the blocks are
 * allowed, as tools write them. No text of the bundle but a subject is in a problem.
 */
export function caBundleProblems(text: string, now: Date): string[] {
  if (text.length > limit) return [`must be at most ${limit / 1024} KiB: name your own CAs alone`];
  const blocks = [...text.matchAll(block)];
  const begun = text.match(/-----BEGIN /g)?.length ?? 0;
  if (begun > blocks.length) return ["has a PEM block that does not end: copy it anew"];
  if (blocks.length === 0)
    return ["holds no certificate: give CA certificates in PEM (-----BEGIN CERTIFICATE-----)"];
  return blocks.flatMap(([pem, label = ""], index) => {
    const problem = blockProblem(label, pem, `block ${index + 1}`, now);
    return problem === undefined ? [] : [problem];
  });
}

/** The certificates alone, each once, in the order given: words between them change nothing. */
export function caCertificates(text: string): string[] {
  return [
    ...new Set([...text.matchAll(block)].map(([pem]) => new X509Certificate(pem).toString())),
  ];
}

/**
 * `anchorhold:caBundle`: the private CAs that whoever calls token issuers, data services or this
 * stack's own addresses has to trust beside the public ones: docs/corporate-network.md.
 */
export const caBundleSchema = z
  .string({ error: "must be CA certificates in PEM, as one text" })
  .transform((text, context) => {
    const problems = caBundleProblems(text, new Date());
    for (const message of problems)
      context.issues.push({ code: "custom", message, input: undefined });
    return problems.length > 0 ? z.NEVER : caCertificates(text).join("");
  });
