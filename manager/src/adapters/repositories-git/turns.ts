/** Lets at most so many of a kind of work run at once; the others wait in the order they came. */
export interface Turns {
  take<T>(work: () => Promise<T>): Promise<T>;
  isIdle(): boolean;
}

export function createTurns(atOnce: number): Turns {
  const waiting: (() => void)[] = [];
  let running = 0;
  return {
    async take(work) {
      // The one that leaves hands its place on, so nobody can step in between.
      if (running === atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
      else running++;
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next) next();
        else running--;
      }
    },
    isIdle: () => running === 0,
  };
}
