/** Things that only one at a time may use; who finds none free waits its turn. */
export class Pool<T> {
  readonly all: readonly T[];
  private readonly free: T[];
  private readonly waiting: ((thing: T) => void)[] = [];

  constructor(things: readonly T[]) {
    this.all = things;
    this.free = [...things];
  }

  async use<R>(work: (thing: T) => Promise<R>): Promise<R> {
    const thing = this.free.pop() ?? (await new Promise<T>((turn) => this.waiting.push(turn)));
    try {
      return await work(thing);
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.free.push(thing);
      else next(thing);
    }
  }
}
