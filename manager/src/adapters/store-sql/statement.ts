import type { CompiledQuery } from 'kysely';

/** Stands for a value while Kysely compiles; Kysely passes parameters through untouched. */
class Marker {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** A query compiled once: only its values change from call to call. */
export type Statement<P, R> = (values: P) => CompiledQuery<R>;

/**
 * Compiles a query whose values are named. Compiling takes Kysely longer than SQLite needs for the
 * query itself, so a store does it once, when it opens.
 */
export function statement<P extends object, R>(
  build: (param: <K extends keyof P & string>(name: K) => P[K]) => CompiledQuery<R>,
): Statement<P, R> {
  const compiled = build((name) => new Marker(name) as unknown as P[typeof name]);
  return (values) => ({
    ...compiled,
    parameters: compiled.parameters.map((parameter) =>
      parameter instanceof Marker ? values[parameter.name as keyof P] : parameter,
    ),
  });
}
