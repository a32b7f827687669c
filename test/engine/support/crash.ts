import { rm } from "node:fs/promises";
import { recover } from "./recover.ts";
import { momentOf, Observation, type Moment } from "./moments.ts";
import { ProgramUnderTest, type Saved } from "./stack.ts";
import { look, type World } from "./world.ts";

type Edit = Record<string, unknown>;

/** An update that is killed. Edits are changes of the shipped configuration, as `configure` takes. */
export interface Subject {
  name: string;
  /** Configurations that are deployed before, one after the other. */
  before: Edit[];
  edit: Edit;
  /** Problems of `holdsBetween` that are the purpose of this edit, such as a key that is given up. */
  intended?: RegExp;
}

/** The same update, once left alone. */
export interface Undisturbed {
  /** Where it may be killed: each thing done by a plugin, each change recorded by the engine. */
  moments: Moment[];
  before: World;
  after: World;
}

/** What there was right after the kill, and after recovery and the same update once more. */
export interface Killed {
  left: World;
  repeated: World;
}

const up = ["up", "--yes", "--skip-preview"];

/** Kills one update again and again, each time from the same state. */
export class CrashBench {
  private readonly program: ProgramUnderTest;
  private readonly subject: Subject;
  private readonly saved: Saved;

  private constructor(program: ProgramUnderTest, subject: Subject, saved: Saved) {
    this.program = program;
    this.subject = subject;
    this.saved = saved;
  }

  /** Deploys what goes before. */
  static async create(subject: Subject): Promise<CrashBench> {
    const program = await ProgramUnderTest.create();
    for (const edit of subject.before) {
      program.configure(edit);
      (await program.engine.up()).expectSuccess();
    }
    return new CrashBench(program, subject, program.save());
  }

  /** Another bench that starts from the same state: keys, cluster and trees. */
  async twin(): Promise<CrashBench> {
    const program = await ProgramUnderTest.create(this.saved.cluster.clone());
    return new CrashBench(program, this.subject, this.saved);
  }

  async undisturbed(): Promise<Undisturbed> {
    await this.reset();
    const before = await look(this.program);
    const { engine, trillian } = this.program;
    const observation = new Observation();
    const outcome = await engine.command(up, observation.watch(engine.cluster, trillian));
    observation.close();
    const changed = new Set(outcome.expectSuccess().changes.map(({ urn }) => momentOf(urn)));
    const moments = observation.moments.filter(
      (moment) => !moment.startsWith("recorded ") || changed.has(moment),
    );
    return { moments, before, after: await look(this.program) };
  }

  /** @throws when the update ends before the moment comes, or cannot be repeated */
  async kill(moment: Moment): Promise<Killed> {
    await this.reset();
    const { engine, trillian } = this.program;
    const observation = new Observation(moment);
    const outcome = await engine.command(up, observation.watch(engine.cluster, trillian));
    if (!observation.killed.signal.aborted) {
      observation.close();
      throw new Error(`"${moment}" did not come\n${outcome.stdout}\n${outcome.stderr}`);
    }
    const left = await look(this.program);
    await recover(this.program);
    (await engine.command(up)).expectSuccess();
    return { left, repeated: await look(this.program) };
  }

  async close(): Promise<void> {
    await rm(this.saved.folder, { recursive: true, force: true });
    await this.program.close();
  }

  private async reset(): Promise<void> {
    await this.program.restore(this.saved);
    this.program.configure(this.subject.edit);
  }
}
