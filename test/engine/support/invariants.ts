import { servingLabel } from "../../../infra/platform/tuf/revision.ts";
import { equal, textAt, type Props, type Value } from "../../../local/pulumi/values.ts";
import { refOf } from "../../../local/pulumi/kubernetes/cluster.ts";
import type { StateResource } from "./engine.ts";
import type { Accepted } from "./mirrorClient.ts";
import { openlyIn, secretsOf } from "./secrets.ts";
import type { World } from "./world.ts";

/** What must hold of every state that an update can be left in; problems in words, or none. */
export function alwaysHolds(world: World): string[] {
  return [
    ...refusedSignature(world),
    ...world.strangers,
    ...treesMadeTwice(world),
    ...mirrorsThatDiffer(world),
    ...secretsInTheOpen(world),
  ];
}

/** Private keys and passwords may be in the Secrets meant for them and nowhere else. */
function secretsInTheOpen({ resources, objects }: World): string[] {
  const open = objects.filter(({ kind, type }) => kind !== "Secret" || type !== "Opaque");
  const secrets = resources.flatMap(secretsOf);
  return open.flatMap((object) =>
    openlyIn(object, secrets).map(({ of }) => `the secret of ${of} is in ${nameOf(object)}`),
  );
}

/** What must hold between two states of which one comes after the other. */
export function holdsBetween(before: World, after: World): string[] {
  return [
    ...changedTrust(before, after),
    ...forgotten(before, after),
    ...steppedBack(before, after),
    ...stoppedSigning(before, after),
  ];
}

/** What must hold when an update that was killed has been repeated, beside one that was not. */
export function converged(world: World, undisturbed: World): string[] {
  return [
    ...world.pending.map(({ type, resource }) => `still pending: ${type} ${resource.urn}`),
    ...differing("resources", names(world.resources), names(undisturbed.resources)),
    ...differing("objects", objectNames(world), objectNames(undisturbed)),
    ...(world.signing.result === undisturbed.signing.result
      ? []
      : [`signing: ${world.signing.result}`]),
  ];
}

function refusedSignature({ signing }: World): string[] {
  return signing.result === "refused" ? [`a client is refused: ${signing.reason}`] : [];
}

function stoppedSigning({ signing: was }: World, { signing: is }: World): string[] {
  return was.result === "signed" && is.result === "unreachable"
    ? [`signing has stopped: ${is.reason}`]
    : [];
}

function treesMadeTwice({ trees }: World): string[] {
  const seen = trees.map(({ description }) => description);
  const twice = seen.filter((description, index) => seen.indexOf(description) !== index);
  return twice.map((description) => `made twice: tree "${description}"`);
}

/** A client that meets an older timestamp after a newer one fails hard. */
function mirrorsThatDiffer({ mirrors }: World): string[] {
  const broken = mirrors.filter((mirror) => mirror instanceof Error);
  const shown = new Set(served(mirrors).map(({ versions }) => JSON.stringify(versions)));
  return [
    ...broken.map(({ message }) => `a mirror is refused: ${message}`),
    ...(shown.size > 1 ? [`mirrors serve ${[...shown].join(" and ")}`] : []),
  ];
}

/** Keys, passwords, trees and records: what is protected and of these types. */
const trustTypes =
  /^(tls:index\/privateKey:PrivateKey|random:index\/|command:local:Command|pulumi:index:Stash)/;

function changedTrust(before: World, after: World): string[] {
  const now = new Map(after.resources.map((resource) => [resource.urn, resource]));
  return (
    before.resources
      .filter(({ type, protect }) => protect === true && trustTypes.test(type))
      // A gate tells when it looked, and a key may be destroyed where that is written down.
      .filter(({ urn }) => !urn.endsWith("-observe"))
      .filter(({ urn }) => !after.destroyed.some((key) => urn.endsWith(key)))
      .flatMap((was) => {
        const is = now.get(was.urn);
        if (is === undefined) return [`gone: ${was.urn}`];
        return was.id === is.id && equal(made(was), made(is)) ? [] : [`made again: ${was.urn}`];
      })
  );
}

/** A Stash repeats its input, which is ignored; its value is the output. */
function made({ type, outputs = {} }: StateResource): Value {
  return (type === "pulumi:index:Stash" ? outputs["output"] : outputs) as Value;
}

function forgotten(before: World, after: World): string[] {
  const now = new Set(after.trusted);
  // What is closed stays listed, but the CT log need not take it any more.
  const isClosed = (line: string) =>
    line.includes(" accepts ") && after.closed.some((end) => line.includes(end));
  return [...new Set(before.trusted)]
    .filter((line) => !now.has(line) && !isClosed(line))
    .map((line) => `no more: ${line}`);
}

function steppedBack(before: World, after: World): string[] {
  const [old, now] = [served(before.mirrors), served(after.mirrors)];
  const [was, is] = [old[0], now[0]];
  if (was === undefined) return [];
  if (is === undefined) return ["the mirror served and does no more"];
  const lower = (Object.keys(was.versions) as (keyof Accepted["versions"])[]).filter(
    (role) => is.versions[role] < was.versions[role],
  );
  return [
    ...lower.map((role) => `TUF ${role} went from ${was.versions[role]} to ${is.versions[role]}`),
    ...(is.initialRoot === was.initialRoot ? [] : ["1.root.json has changed"]),
  ];
}

function served(mirrors: World["mirrors"]): Accepted[] {
  return mirrors.filter((mirror): mirror is Accepted => !(mirror instanceof Error));
}

function names(resources: readonly StateResource[]): string[] {
  return resources.map(({ urn }) => urn);
}

/** A release counts once, however many revisions of it Helm remembers: a repeated upgrade is one more. */
function objectNames({ objects }: World): string[] {
  const isHelms = ({ type }: Props) => type === "helm.sh/release.v1";
  const releases = new Set(objects.filter(isHelms).map(nameOf));
  return [...releases, ...objects.filter((object) => !isHelms(object)).map(nameOf)];
}

/**
 * Kind, namespace and name. What differs between two runs is left out: the random end of a name
 * that Pulumi made up, the revision of Helm's record, and the hash over keys and all in the name
 * of a serving state of the mirror.
 */
function nameOf(object: Props): string {
  const { kind, namespace, name } = refOf(object);
  const generated = textAt(object, "metadata", "annotations", "pulumi.com/autonamed") === "true";
  const hash = textAt(object, "metadata", "labels", servingLabel).split("-").at(-1) ?? "";
  const base = generated ? name.replace(/-[0-9a-f]{8}$/, "-…") : name;
  const stable = hash === "" ? base : base.replace(hash, "…");
  return `${kind} ${namespace}/${stable.replace(/^(sh\.helm\.release\..*)\.v\d+$/, "$1")}`;
}

function differing(what: string, have: readonly string[], want: readonly string[]): string[] {
  const count = (list: readonly string[], name: string) =>
    list.filter((one) => one === name).length;
  return [...new Set([...have, ...want])]
    .map((name) => ({ name, surplus: count(have, name) - count(want, name) }))
    .filter(({ surplus }) => surplus !== 0)
    .map(
      ({ name, surplus }) =>
        `${what}: ${surplus > 0 ? `${surplus} too many` : `${-surplus} missing`}: ${name}`,
    );
}
