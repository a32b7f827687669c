import { patient, quick, unanswered } from "../downloads/fetch.ts";

/** Docker's registry has another name than its images say. */
const hosts: Record<string, string> = { "docker.io": "registry-1.docker.io" };

/** As containerd and Docker do it: a registry on this machine may speak plain HTTP. */
const isOwn = (host: string): boolean => /^(localhost|127\.0\.0\.1)(:|$)/.test(host);

/**
 * Whether an image registry answers; a refusal to a nameless caller is an answer (OCI Distribution
 * Specification, section "Endpoints": `/v2/`).
 *
 * @param registry as in an image's reference
 * @returns undefined, or why not
 */
export async function registryProblem(
  registry: string,
  isPatient: boolean,
): Promise<string | undefined> {
  const host = hosts[registry] ?? registry;
  const url = `${isOwn(host) ? "http" : "https"}://${host}/v2/`;
  const limit = isPatient ? patient : quick;
  try {
    const { status } = await fetch(url, { signal: AbortSignal.timeout(limit) });
    return status < 404 ? undefined : `${host} answers ${status}`;
  } catch (error) {
    return unanswered(url, error);
  }
}
