import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Manifest } from "../infra/scaffold/postrender/manifest.ts";
import { postrender } from "../infra/scaffold/postrender/rules.ts";
import { readManifests } from "../infra/scaffold/postrender/yaml.ts";
import { postrenderHash } from "../infra/scaffold/postrenderFiles.ts";
import { find, text } from "./plain.ts";
import { renderingOf, type Rendering } from "./release.ts";
import type { Resource } from "./rule.ts";

/** Where relative paths of charts and post-renderers start: the project's folder. */
const project = join(import.meta.dirname, "..");
const timeoutSeconds = 120;

/** The objects of a Release as they will be in the cluster, or why they cannot be had. */
export type Rendered = { objects: Manifest[] } | { problem: string };

const cache = new Map<string, Promise<Rendered>>();

/**
 * Renders a Release: chart, values, post-rendering. Nothing of Helm's own words comes out, because
 * a template may print values. Each rule asks, so the answer is kept.
 * @param helm the program, by its path or by its name on PATH
 */
export function rendered(resource: Resource, helm: string): Promise<Rendered> {
  const rendering = renderingOf(resource);
  if (typeof rendering === "string") return Promise.resolve({ problem: rendering });
  const isChanged = resource.props["postrender"] !== undefined;
  if (isChanged && !isOurs(resource))
    return Promise.resolve({ problem: "its post-renderer is not the one beside this pack" });
  const key = JSON.stringify([helm, rendering, isChanged]);
  const known = cache.get(key) ?? render(helm, rendering, isChanged);
  cache.set(key, known);
  return known;
}

/**
 * Whether a Release is post-rendered by what this pack imports. Paths differ by where the program
 * was started; the hash among the values says which program it is.
 */
function isOurs({ props }: Resource): boolean {
  const hash = find(props, "values", "global", "anchorhold", "postrender");
  const isNamed = text(props["postrender"]).endsWith("infra/scaffold/postrender.ts");
  return isNamed && hash === postrenderHash();
}

async function render(helm: string, rendering: Rendering, isChanged: boolean): Promise<Rendered> {
  const output = await template(helm, rendering);
  if (typeof output !== "string") return output;
  try {
    const manifests = readManifests(output);
    return { objects: isChanged ? postrender(manifests) : manifests };
  } catch {
    return { problem: "its post-renderer refuses what the chart renders" };
  }
}

function template(helm: string, { args, stdin }: Rendering): Promise<string | { problem: string }> {
  const child = spawn(helm, args, {
    cwd: project,
    stdio: ["pipe", "pipe", "ignore"],
    timeout: timeoutSeconds * 1000,
  });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  // Helm may end before it has read the values.
  child.stdin.on("error", () => undefined);
  child.stdin.end(stdin);
  return new Promise((resolve) => {
    child.on("error", () =>
      resolve({ problem: `${helm} does not run: install Helm 3, or set the rule's "helm"` }),
    );
    child.on("close", (code) => {
      if (code === 0) return resolve(Buffer.concat(chunks).toString());
      resolve({ problem: `helm template ended with ${code ?? "a signal"}` });
    });
  });
}
