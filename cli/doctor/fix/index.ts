import { setTimeout as sleep } from "node:timers/promises";
import { CannotRun } from "../../errors.ts";
import type { ObjectApi } from "../api.ts";
import type { Fault } from "../diagnose/fault.ts";
import { diagnose } from "../diagnose/index.ts";
import type { Evidence } from "../evidence.ts";
import { applyObject, remakeObject, resumeCronJob } from "./objects.ts";
import { refreshAndUp, type RunPulumi } from "./pulumi.ts";
import { restartPods, settled } from "./restart.ts";
import { signTimestamp } from "./sign.ts";
import { keyOf, nextStep, type Mendable } from "./steps.ts";

/** All that mending takes. */
export interface Hands {
  api: ObjectApi;
  pulumi: RunPulumi;
  /** Looks again, at the state too. */
  look(): Promise<Evidence>;
  /** Told before each step. */
  say(line: string): void;
}

export interface Mended {
  /** What is left to see. */
  evidence: Evidence;
  /** What was done, one line each. */
  done: readonly string[];
  /** What was not, and why. */
  refused: readonly string[];
}

/**
 * Mends what the state and Helm's records can mend, step by step, and looks again after each: what
 * a step leaves over may be what the next one mends. No key is made: every content comes from the
 * state or from Helm's record.
 */
export async function mend(first: Evidence, hands: Hands): Promise<Mended> {
  const tried = new Set<string>();
  const [done, refused]: string[][] = [[], []];
  let evidence = first;
  for (;;) {
    const faults = diagnose(evidence);
    const step = nextStep(faults, tried);
    if (step.length === 0) return { evidence, done: done!, refused: refused! };
    for (const fault of step) tried.add(keyOf(fault));
    for (const task of tasksOf(step, evidence, hands)) {
      try {
        done!.push(await task());
      } catch (error) {
        if (!(error instanceof CannotRun)) throw error;
        refused!.push(error.message);
      }
    }
    await settled(hands.api, evidence, startingIn(step, faults), sleep);
    evidence = await hands.look();
  }
}

/**
 * The namespaces in which pods start anew now and nothing is left that keeps them from it. Pulumi
 * waits for its own.
 */
function startingIn(step: readonly Mendable[], faults: readonly Fault[]): Set<string> {
  const broken = faults
    .filter((fault) => !step.some(({ place }) => place === fault.place))
    .map(({ component }) => component);
  return new Set(
    step.flatMap(({ repair, component }) =>
      repair.type === "apply" && !broken.includes(component)
        ? (repair.object.metadata.namespace ?? [])
        : [],
    ),
  );
}

type Task = () => Promise<string>;

function tasksOf(step: readonly Mendable[], evidence: Evidence, hands: Hands): Task[] {
  const byObject = new Map(step.map((fault) => [taskKey(fault), fault]));
  return [...byObject.values()].map((fault): Task => {
    const { repair, place } = fault;
    return async () => {
      hands.say(`mending ${place}`);
      switch (repair.type) {
        case "apply":
          return applyObject(hands.api, repair);
        case "resume":
          return resumeCronJob(hands.api, repair.object);
        case "remake":
          return remakeObject(hands.api, repair.object);
        case "pulumi":
          return refreshAndUp(hands.pulumi);
        case "sign":
          return signTimestamp(hands.api, evidence, sleep);
        case "restart":
          return restartPods(hands.api, evidence, repair, sleep);
      }
    };
  });
}

/** Two faults of one object are mended by one application, and all of Pulumi's by one update. */
function taskKey({ repair, place }: Mendable): string {
  return repair.type === "pulumi" || repair.type === "sign"
    ? repair.type
    : `${repair.type} ${place}`;
}
