import { title } from "../../infra/scaffold/postrender/manifest.ts";
import { containers, objectRule, podSpec } from "../objects.ts";
import { find, list, text, type PlainObject } from "../plain.ts";

/** Kinds of volumes that the standard allows. */
const volumeKinds = new Set([
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "persistentVolumeClaim",
  "projected",
  "secret",
]);

const profiles = ["RuntimeDefault", "Localhost"];

function podProblems(pod: PlainObject): string[] {
  const host = ["hostNetwork", "hostPID", "hostIPC"].filter((key) => (pod[key] ?? false) !== false);
  const volumes = list(pod, "volumes").flatMap((volume) =>
    Object.keys(volume)
      .filter((key) => key !== "name" && !volumeKinds.has(key))
      .map((kind) => `volume ${text(volume["name"])} is of kind ${kind}`),
  );
  return [...host.map((key) => `${key} is not false`), ...volumes];
}

/** Of a field that pod and container both have, the container's wins. */
function security(pod: PlainObject, container: PlainObject, ...path: string[]) {
  const own = find(container, "securityContext", ...path);
  return own === undefined ? find(pod, "securityContext", ...path) : own;
}

function containerProblems(pod: PlainObject, container: PlainObject): string[] {
  const own = (...path: string[]) => find(container, "securityContext", ...path);
  const dropped = own("capabilities", "drop");
  const added = own("capabilities", "add") ?? [];
  const isNobody = security(pod, container, "runAsUser") !== 0;
  const kept: [boolean, string][] = [
    [security(pod, container, "runAsNonRoot") === true && isNobody, "may run as root"],
    [
      profiles.includes(text(security(pod, container, "seccompProfile", "type"))),
      "has no seccomp profile",
    ],
    [own("allowPrivilegeEscalation") === false, "may get more rights"],
    [(own("privileged") ?? false) === false, "is privileged"],
    [Array.isArray(dropped) && dropped.includes("ALL"), "keeps capabilities"],
    [
      Array.isArray(added) && added.every((one) => one === "NET_BIND_SERVICE"),
      "is given capabilities",
    ],
    [
      list(container, "ports").every(({ hostPort }) => (hostPort ?? 0) === 0),
      "takes a port of the node",
    ],
  ];
  return kept.filter(([isKept]) => !isKept).map(([, problem]) => problem);
}

export const podsRestricted = objectRule<object>({
  name: "pods-restricted",
  description:
    'Keep every pod to the "restricted" Pod Security Standard: no root, no rights, no part of the node.',
  check: (objects) =>
    objects.flatMap((object) => {
      const pod = podSpec(object);
      if (pod === undefined) return [];
      const inContainers = containers(pod).flatMap((container) =>
        containerProblems(pod, container).map(
          (problem) => `container ${text(container["name"])} ${problem}`,
        ),
      );
      return [...podProblems(pod), ...inContainers].map((line) => `${title(object)}: ${line}`);
    }),
});
