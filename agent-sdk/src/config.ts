/** Where git is looked for. The only thing the kit takes from the environment; everything else is an option. */
export function readHostPath(): string {
  return process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin';
}
