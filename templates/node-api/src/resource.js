const NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
const RESERVED = new Set(['healthz', 'openapi', 'style', 'favicon']);
/** Set by the service, so no field may be called so. */
const OWN_FIELDS = new Set(['id', 'version', 'createdAt', 'updatedAt']);
const TYPES = new Set(['string', 'boolean', 'integer', 'strings']);

/** One resource from its file in `resources/`. Throws with the file's name where it is wrong. */
export function readResource(fileName, source) {
  try {
    const resource = JSON.parse(source);
    if (!NAME.test(resource.name ?? ''))
      throw new Error('name must be small letters, digits and single hyphens');
    if (`${resource.name}.json` !== fileName)
      throw new Error(`the file must be called ${resource.name}.json`);
    if (RESERVED.has(resource.name)) throw new Error(`${resource.name} is taken by the service itself`);
    for (const key of ['singular', 'title', 'description']) {
      if (typeof resource[key] !== 'string') throw new Error(`${key} must be a text`);
    }
    const fields = Object.entries(resource.fields ?? {});
    if (fields.length === 0) throw new Error('it needs at least one field');
    for (const [name, field] of fields) {
      if (!/^[a-z][A-Za-z0-9]*$/.test(name) || OWN_FIELDS.has(name))
        throw new Error(`a field cannot be called ${name}`);
      if (!TYPES.has(field.type)) throw new Error(`${name}: type must be one of ${[...TYPES].join(', ')}`);
    }
    return resource;
  } catch (error) {
    throw new Error(`resources/${fileName}: ${error.message}`, { cause: error });
  }
}
