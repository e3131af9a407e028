import { delimiter } from 'node:path';

/** What this room takes from the environment of the box: where programs are looked for. */
export function readSearchPath(): string[] {
  return (process.env.PATH ?? '').split(delimiter).filter((directory) => directory.startsWith('/'));
}
