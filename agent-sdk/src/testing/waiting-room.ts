/** Lets tests wait for what they look for instead of sleeping: every look is taken again after each change. */
export interface WaitingRoom {
  until<T>(look: () => T | null | undefined): Promise<T>;
  changed(): void;
}

export function createWaitingRoom(): WaitingRoom {
  let waiting: (() => boolean)[] = [];
  return {
    until: <T>(look: () => T | null | undefined) =>
      new Promise<T>((resolve) => {
        const check = () => {
          const found = look();
          if (found === null || found === undefined) return false;
          resolve(found);
          return true;
        };
        if (!check()) waiting.push(check);
      }),
    changed() {
      const before = waiting;
      waiting = [];
      for (const check of before) if (!check()) waiting.push(check);
    },
  };
}
