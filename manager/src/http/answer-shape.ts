import type { z } from 'zod';

/** Copies what the contract names and leaves out the rest. */
type Pick = (value: unknown) => unknown;

type Def =
  | { readonly type: 'object'; readonly shape: Readonly<Record<string, z.ZodType>> }
  | { readonly type: 'array'; readonly element: z.ZodType }
  | { readonly type: 'record'; readonly valueType: z.ZodType }
  | { readonly type: 'nullable' | 'optional' | 'default' | 'readonly'; readonly innerType: z.ZodType }
  | { readonly type: 'union'; readonly options: readonly z.ZodType[]; readonly discriminator?: string }
  | { readonly type: 'other' };

/**
 * Makes the function that gives an answer the contract's shape. Records of the store hold more than
 * the wire nouns they extend, and TypeScript lets such a record pass for the noun: so every answer is
 * copied by its contract and nothing internal gets out. Nothing is validated (types do that), which
 * keeps this to a few property reads. Null where a value can be sent as it is.
 */
export function answerShape(schema: z.ZodType): Pick | null {
  const def = schema._zod.def as unknown as Def;
  switch (def.type) {
    case 'object':
      return pickObject(def.shape);
    case 'array': {
      const pick = answerShape(def.element);
      return pick && ((value) => (Array.isArray(value) ? value.map((item) => pick(item)) : value));
    }
    case 'record': {
      const pick = answerShape(def.valueType);
      return pick && ((value) => (isObject(value) ? mapValues(value, pick) : value));
    }
    case 'nullable':
    case 'optional':
    case 'default':
    case 'readonly':
      return answerShape(def.innerType);
    case 'union':
      return def.discriminator === undefined
        ? pickScalar(def.options)
        : pickOption(def.options, def.discriminator);
    default:
      return null;
  }
}

function pickObject(shape: Readonly<Record<string, z.ZodType>>): Pick {
  const fields = Object.entries(shape).map(([key, schema]) => ({ key, pick: answerShape(schema) }));
  return (value) => {
    if (!isObject(value)) return value;
    const copy: Record<string, unknown> = {};
    for (const { key, pick } of fields) {
      const field = value[key];
      copy[key] = pick === null ? field : pick(field);
    }
    return copy;
  };
}

function pickOption(options: readonly z.ZodType[], discriminator: string): Pick {
  const pickByValue = new Map<unknown, Pick | null>();
  for (const option of options) {
    for (const value of option._zod.propValues?.[discriminator] ?? []) {
      pickByValue.set(value, answerShape(option));
    }
  }
  return (value) => {
    if (!isObject(value)) return value;
    const pick = pickByValue.get(value[discriminator]);
    // An option that the contract does not know must not get out unpicked.
    if (pick === undefined) {
      throw new TypeError(`no option of the contract has ${discriminator} = ${value[discriminator]}`);
    }
    return pick === null ? value : pick(value);
  };
}

/** A union without a discriminator is fine as long as no option has fields to pick, as in `z.json()`. */
function pickScalar(options: readonly z.ZodType[]): null {
  if (options.some((option) => option._zod.def.type === 'object')) {
    throw new TypeError('an answer may hold a union of objects only with a discriminator');
  }
  return null;
}

function mapValues(value: Record<string, unknown>, pick: Pick): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, pick(field)]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
