import { deploymentSpec, title, withPod, type Container, type Manifest } from "./manifest.ts";

/** On a pod: the Secret with the flags that its server must not have on the command line. */
export const flagSecretAnnotation = "anchorhold.dev/flag-secret";
/** On such a pod: the Secret has the database's CA certificates as well, in this key. */
export const flagCaAnnotation = "anchorhold.dev/flag-secret-ca";
/** That Secret's key: a file that Trillian's servers take as --config (trillian cmd/flags.go). */
export const flagFile = "flags";
/** The key of the CA certificates. */
export const caFile = "ca.pem";

/** Where the pods have these files. */
export const flagFolder = "/etc/trillian";
/** The flag that the file has instead: user, password and address of the database. */
const moved = "--mysql_uri=";

/** The names of a container's environment variables that come from a Secret. */
function secretVariables({ env = [] }: Container): string[] {
  return env
    .filter(({ valueFrom }) => valueFrom?.secretKeyRef !== undefined)
    .map(({ name }) => name);
}

const needsFile = ({ args = [] }: Container) => args.some((flag) => flag.startsWith(moved));

/** The flag is read from the file, and nothing else needs the Secret in the environment. */
function readingFile(container: Container): Container {
  if (!needsFile(container)) return container;
  const { args = [], env = [], volumeMounts = [] } = container;
  const isSecret = new Set(secretVariables(container));
  return {
    ...container,
    args: [...args.filter((flag) => !flag.startsWith(moved)), `--config=${flagFolder}/${flagFile}`],
    env: env.filter(({ name }) => !isSecret.has(name)),
    volumeMounts: [...volumeMounts, { name: "flags", mountPath: flagFolder, readOnly: true }],
  };
}

function movedToFile(manifest: Manifest): Manifest {
  const { annotations } = deploymentSpec(manifest)?.template.metadata ?? {};
  const secretName = annotations?.[flagSecretAnnotation];
  if (secretName === undefined) return manifest;
  return withPod(manifest, (pod) => {
    if (!pod.containers.some(needsFile)) return pod;
    const ca = annotations?.[flagCaAnnotation];
    const items = [flagFile, ...(ca === undefined ? [] : [ca])].map((key) => ({ key, path: key }));
    const volume = { name: "flags", secret: { secretName, items, defaultMode: 0o440 } };
    return {
      ...pod,
      containers: pod.containers.map(readingFile),
      volumes: [...(pod.volumes ?? []), volume],
    };
  });
}

/**
 * Variables that hold nothing, by the label `app.kubernetes.io/name`: the keys of Fulcio and of the
 * TSA have no password, but their command lines name the one that a Secret must have.
 */
const empty: Readonly<Record<string, string>> = { fulcio: "PASSWORD", tsa: "PASSWORD" };

/** Kubernetes would write the Secret's content in place of `$(NAME)`. */
function showsSecret(container: Container, app: string): boolean {
  const line = [...(container.command ?? []), ...(container.args ?? [])].join(" ");
  return secretVariables(container).some(
    (name) => name !== empty[app] && line.includes(`$(${name})`),
  );
}

/**
 * Takes the database's password off the command line of Trillian's servers, where every process of
 * the node can read it, and /debug/pprof/cmdline tells it to whoever reaches the HTTP port.
 * @throws Error when any command line would show a Secret's content
 */
export function withFlagFile(manifest: Manifest): Manifest {
  const changed = movedToFile(manifest);
  const app = manifest.metadata.labels?.["app.kubernetes.io/name"] ?? "";
  const { containers = [] } = deploymentSpec(changed)?.template.spec ?? {};
  const shown = containers.find((container) => showsSecret(container, app));
  if (shown === undefined) return changed;
  throw new Error(
    `${title(manifest)}: the command line of ${shown.name} would show a Secret's content. Let ` +
      "infra/scaffold/postrender/flagFile.ts move it into a file.",
  );
}
