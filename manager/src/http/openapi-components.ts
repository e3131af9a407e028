import { z } from 'zod';

export type JsonSchema = Record<string, unknown>;

export interface Components {
  /** The schema, or a reference to it; what it refers to is kept as a component. */
  schemaOf(schema: z.ZodType, io: 'input' | 'output'): JsonSchema;
  add(name: string, schema: JsonSchema): void;
  /** By name, in alphabetical order. */
  all(): Record<string, JsonSchema>;
}

const LOCAL = '#/$defs/';
const SHARED = '#/components/schemas/';

/** Turns zod schemas into JSON Schemas that refer to each other by the names given here. */
export function createComponents(named: readonly (readonly [string, z.ZodType])[]): Components {
  const registry = z.registry<z.core.JSONSchemaMeta>();
  for (const [name, schema] of named) registry.add(schema, { ...z.globalRegistry.get(schema), id: name });
  const kept = new Map<string, { readonly schema: JsonSchema; readonly text: string }>();

  /** A noun that reads differently as input (defaults) gets a component of its own, named so. */
  function keep(name: string, io: 'input' | 'output', schema: JsonSchema): string {
    const text = JSON.stringify(schema);
    const free = [name, `${name}${io === 'input' ? 'Input' : 'Output'}`].find(
      (candidate) => (kept.get(candidate)?.text ?? text) === text,
    );
    if (free === undefined) throw new TypeError(`the schema ${name} has more than two shapes`);
    kept.set(free, { schema, text });
    return free;
  }

  return {
    schemaOf(schema, io) {
      // A wrapper, so that a named schema at the top becomes a reference as it would further down.
      const { $defs, items } = toJsonSchema(z.array(schema), io, registry);
      const local = ($defs ?? {}) as Record<string, JsonSchema>;
      const names = new Map<string, string>();
      const rename = (value: unknown): unknown => {
        if (Array.isArray(value)) return value.map(rename);
        if (typeof value !== 'object' || value === null) return value;
        return Object.fromEntries(
          Object.entries(value).map(([key, field]) => [
            key,
            key === '$ref' && typeof field === 'string' && field.startsWith(LOCAL)
              ? SHARED + resolve(field.slice(LOCAL.length))
              : rename(field),
          ]),
        );
      };
      const resolve = (localName: string): string => {
        const known = names.get(localName);
        if (known !== undefined) return known;
        // `z.json()` refers to itself and has no name of its own.
        const publicName = localName.startsWith('__schema') ? 'Json' : localName;
        names.set(localName, publicName);
        const { id: _, ...content } = local[localName]!;
        const kept = keep(publicName, io, rename(content) as JsonSchema);
        names.set(localName, kept);
        return kept;
      };
      return rename(items) as JsonSchema;
    },
    add(name, schema) {
      kept.set(name, { schema, text: JSON.stringify(schema) });
    },
    all() {
      const sorted = [...kept].sort(([a], [b]) => (a < b ? -1 : 1));
      return Object.fromEntries(sorted.map(([name, { schema }]) => [name, schema]));
    },
  };
}

/** JSON Schema 2020-12, as the server reads it: an object takes no keys but its own, in either direction. */
export function toJsonSchema(
  schema: z.ZodType,
  io: 'input' | 'output',
  registry?: z.core.$ZodRegistry<z.core.JSONSchemaMeta>,
): JsonSchema {
  return z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io,
    ...(registry ? { metadata: registry } : {}),
    override({ zodSchema, jsonSchema }) {
      if (zodSchema._zod.def.type === 'object') jsonSchema.additionalProperties ??= false;
    },
  }) as JsonSchema;
}
