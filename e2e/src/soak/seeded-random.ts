/** The same seed gives the same choices; when they fall is up to the machine. */
export interface SeededRandom {
  /** From `low` up to, not including, `high`. */
  between(low: number, high: number): number;
  chance(probability: number): boolean;
  pick<T>(choices: readonly (readonly [weight: number, choice: T])[]): T;
  /** Independent of how often this one is asked. */
  branch(name: string): SeededRandom;
}

/** mulberry32: 32 bits of state are plenty for choosing when to kill. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    between: (low, high) => low + next() * (high - low),
    chance: (probability) => next() < probability,
    pick(choices) {
      let left = next() * choices.reduce((sum, [weight]) => sum + weight, 0);
      for (const [weight, choice] of choices) {
        left -= weight;
        if (left < 0) return choice;
      }
      return choices.at(-1)![1];
    },
    branch: (name) =>
      seededRandom([...name].reduce((hash, one) => Math.imul(hash, 31) + one.charCodeAt(0), seed)),
  };
}
