import { vi } from "vitest";
import {
  signRoot,
  signSnapshot,
  signTargets,
  type TargetFile,
} from "../../infra/trust/tuf/metadata.ts";
import { repositoryFiles, type PublishedVersion } from "../../infra/trust/tuf/repository.ts";
import { renewState, timestampKey, type StateData } from "../../infra/trust/tuf/timestampState.ts";
import { ecKeyPair } from "../unit/trust/fixture.ts";
import type { Mirror } from "./mirror.ts";

const daySeconds = 86_400;
export const life = { publishedDays: 3650, timestampSeconds: 7 * daySeconds };

/** The time of day at which each actor comes, in hours. */
export const hours = { schedule: 3.3, update: 9, clients: 12 };

/** The one clock that signer, client and judgement share; timers and sockets keep theirs. */
export class Days {
  private readonly start: number;

  /** @param start when day 0 begins, in ms */
  constructor(start: number) {
    this.start = start;
  }

  set(day: number, hour: number): void {
    vi.setSystemTime(this.start + (day * 24 + hour) * 3_600_000);
  }
}

/** A stack whose updates publish and whose cluster renews the timestamp. */
export class PublishingStack {
  readonly keys = {
    root: ecKeyPair(),
    targets: ecKeyPair(),
    snapshot: ecKeyPair(),
    timestamp: ecKeyPair(),
  };
  readonly firstRoot: string;
  readonly mirror: Mirror;
  private publications: PublishedVersion[] = [];
  private state: StateData = {};

  constructor(mirror: Mirror) {
    this.mirror = mirror;
    const { root, targets, snapshot, timestamp } = this.keys;
    this.firstRoot = signRoot({
      version: 1,
      expires: this.farOff(),
      root: { keys: [root.publicKeyPem], threshold: 1 },
      targets: [targets.publicKeyPem],
      snapshot: [snapshot.publicKeyPem],
      timestamp: [timestamp.publicKeyPem],
      signers: [root],
    });
  }

  /** What an update does: sign, have the timestamp signed, flip. */
  publish(files: TargetFile[]): void {
    const version = (this.publications.at(-1)?.version ?? 0) + 1;
    const common = { version, expires: this.farOff() };
    const targets = signTargets({ ...common, targets: files, signer: this.keys.targets });
    const named = { version, content: targets };
    const snapshot = signSnapshot({ ...common, targets: named, signer: this.keys.snapshot });
    this.publications.push({ version, targets, snapshot, targetFiles: files });
    this.renew();
  }

  /** What the CronJob does. */
  renew(): void {
    const { snapshot, version } = this.publications.at(-1)!;
    const request = { snapshot, key: this.keys.timestamp, lifeSeconds: life.timestampSeconds };
    const { data } = renewState({ ...request, data: this.state, now: new Date() });
    this.state = data ?? this.state;
    const publications = this.publications.slice(-2);
    this.mirror.files = {
      ...repositoryFiles({ roots: [this.firstRoot], publications }),
      "timestamp.json": this.state[timestampKey(version)]!,
    };
  }

  /** Kept timestamps: few, however long it goes on. */
  get kept(): number {
    return Object.keys(this.state).length - 1;
  }

  private farOff(): Date {
    return new Date(Date.now() + life.publishedDays * daySeconds * 1000);
  }
}
