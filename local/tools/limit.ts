/** Runs tasks, at most a given number at a time, in the order in which they came. */
export type Limit = <T>(task: () => Promise<T>) => Promise<T>;

/** A queue for a scarce resource: cores, the network. */
export function limit(atOnce: number): Limit {
  const waiting: (() => void)[] = [];
  let free = atOnce;
  const take = async (): Promise<void> => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
  };
  const give = (): void => {
    const next = waiting.shift();
    if (next) next();
    else free += 1;
  };
  return async (task) => {
    await take();
    try {
      return await task();
    } finally {
      give();
    }
  };
}
