import { Problem } from './problem.js';

/**
 * The fields of a request as they are kept: whole for a new or replaced record (missing ones get
 * their default), or only those given for a change. Throws a problem that names every wrong field.
 */
export function readFields(resource, body, { partial }) {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new Problem(422, 'the body must be a JSON object');
  }
  const errors = [];
  for (const key of Object.keys(body)) {
    if (!Object.hasOwn(resource.fields, key)) errors.push({ field: key, message: 'there is no such field' });
  }
  const record = {};
  for (const [name, field] of Object.entries(resource.fields)) {
    const isGiven = Object.hasOwn(body, name) && body[name] !== null;
    if (isGiven) {
      const message = wrong(field, body[name]);
      if (message === null) record[name] = body[name];
      else errors.push({ field: name, message });
    } else if (field.required && (!partial || Object.hasOwn(body, name))) {
      errors.push({ field: name, message: 'it is required' });
    } else if (!partial || Object.hasOwn(body, name)) {
      record[name] = field.default ?? (field.type === 'strings' ? [] : null);
    }
  }
  if (errors.length > 0)
    throw new Problem(422, `${errors.length} of the fields cannot be taken`, { body: { errors } });
  return record;
}

/** What is wrong with a value, or null. */
function wrong(field, value) {
  switch (field.type) {
    case 'string':
      return wrongText(value, field);
    case 'boolean':
      return typeof value === 'boolean' ? null : 'it must be true or false';
    case 'integer':
      if (!Number.isSafeInteger(value)) return 'it must be a whole number';
      if (field.minimum !== undefined && value < field.minimum) return `it must be at least ${field.minimum}`;
      if (field.maximum !== undefined && value > field.maximum) return `it must be at most ${field.maximum}`;
      return null;
    case 'strings':
      if (!Array.isArray(value)) return 'it must be a list of texts';
      if (value.length > (field.maxItems ?? 100)) return `it may hold at most ${field.maxItems ?? 100} texts`;
      return (
        value
          .map((item) => wrongText(item, { ...field, required: true }))
          .find((message) => message !== null) ?? null
      );
    default:
      return 'its type is unknown';
  }
}

function wrongText(value, { required, maxLength = 10_000 }) {
  if (typeof value !== 'string') return 'it must be a text';
  if (required && value.trim() === '') return 'it must not be empty';
  if (!value.isWellFormed()) return 'it must be well-formed Unicode';
  // Counted in characters as people see code points, not in UTF-16 units.
  return [...value].length > maxLength ? `it may have at most ${maxLength} characters` : null;
}
