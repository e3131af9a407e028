/** The OpenAPI description of the service, made from its resources. */
export function describeApi({ site, resources }) {
  const paths = {
    '/healthz': {
      get: { summary: 'Whether the service answers', responses: { 200: { description: 'It does' } } },
    },
  };
  const schemas = { Problem: PROBLEM };
  for (const resource of resources) {
    const name = schemaName(resource.singular, resource.name);
    schemas[name] = recordSchema(resource);
    schemas[`New${name}`] = inputSchema(resource, true);
    schemas[`Changed${name}`] = inputSchema(resource, false);
    Object.assign(paths, describeResource(resource, name));
  }
  return {
    openapi: '3.1.0',
    info: { title: site.title, version: '1.0.0', description: site.description },
    paths,
    components: { schemas },
  };
}

const PROBLEM = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    errors: {
      type: 'array',
      items: { type: 'object', properties: { field: { type: 'string' }, message: { type: 'string' } } },
    },
  },
};

function describeResource({ name, singular, title }, schema) {
  const tags = [title];
  const id = {
    name: 'id',
    in: 'path',
    required: true,
    schema: { type: 'string', pattern: '^[0-9a-f]{32}$' },
  };
  const ifMatch = {
    name: 'If-Match',
    in: 'header',
    schema: { type: 'string' },
    description: 'Change only this version',
  };
  const one = { content: { 'application/json': { schema: ref(schema) } } };
  const body = (of) => ({ required: true, content: { 'application/json': { schema: ref(of) } } });
  return {
    [`/${name}`]: {
      get: {
        tags,
        summary: `List ${name}, oldest first`,
        parameters: [
          { name: 'limit', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 100, default: 20 } },
          {
            name: 'after',
            in: 'query',
            schema: { type: 'string' },
            description: 'The `next` of the page before',
          },
        ],
        responses: {
          200: { description: 'One page', content: { 'application/json': { schema: pageSchema(schema) } } },
          400: problem('Wrong parameters'),
        },
      },
      post: {
        tags,
        summary: `Add a ${singular}`,
        requestBody: body(`New${schema}`),
        responses: { 201: { description: 'Added', ...one }, 422: problem('Wrong fields') },
      },
    },
    [`/${name}/{id}`]: {
      parameters: [id],
      get: {
        tags,
        summary: `Read a ${singular}`,
        responses: { 200: { description: 'Found', ...one }, 404: problem('None') },
      },
      put: {
        tags,
        summary: `Replace a ${singular}`,
        parameters: [ifMatch],
        requestBody: body(`New${schema}`),
        responses: {
          200: { description: 'Replaced', ...one },
          404: problem('None'),
          412: problem('Changed since'),
          422: problem('Wrong fields'),
        },
      },
      patch: {
        tags,
        summary: `Change some fields of a ${singular}`,
        parameters: [ifMatch],
        requestBody: body(`Changed${schema}`),
        responses: {
          200: { description: 'Changed', ...one },
          404: problem('None'),
          412: problem('Changed since'),
          422: problem('Wrong fields'),
        },
      },
      delete: {
        tags,
        summary: `Remove a ${singular}`,
        parameters: [ifMatch],
        responses: { 204: { description: 'Removed' }, 404: problem('None'), 412: problem('Changed since') },
      },
    },
  };
}

function recordSchema(resource) {
  const properties = {
    id: { type: 'string' },
    version: { type: 'integer' },
    createdAt: { type: 'string', format: 'date-time' },
    updatedAt: { type: 'string', format: 'date-time' },
    ...fieldSchemas(resource),
  };
  return { type: 'object', required: Object.keys(properties), properties };
}

function inputSchema(resource, isWhole) {
  const required = Object.entries(resource.fields)
    .filter(([, field]) => field.required)
    .map(([name]) => name);
  return {
    type: 'object',
    additionalProperties: false,
    ...(isWhole && required.length > 0 ? { required } : {}),
    properties: fieldSchemas(resource),
  };
}

function fieldSchemas({ fields }) {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, fieldSchema(field)]));
}

function fieldSchema({ type, required, description, maxLength, maxItems, minimum, maximum, default: value }) {
  const common = {
    ...(description === undefined ? {} : { description }),
    ...(value === undefined ? {} : { default: value }),
  };
  const orNull = (name) => (required || value !== undefined ? name : [name, 'null']);
  const length = { ...(required ? { minLength: 1 } : {}), ...(maxLength === undefined ? {} : { maxLength }) };
  switch (type) {
    case 'strings':
      return {
        type: 'array',
        items: { type: 'string', minLength: 1, ...(maxLength === undefined ? {} : { maxLength }) },
        ...(maxItems === undefined ? {} : { maxItems }),
        ...common,
      };
    case 'integer':
      return {
        type: orNull('integer'),
        ...(minimum === undefined ? {} : { minimum }),
        ...(maximum === undefined ? {} : { maximum }),
        ...common,
      };
    case 'boolean':
      return { type: orNull('boolean'), ...common };
    default:
      return { type: orNull('string'), ...length, ...common };
  }
}

function pageSchema(schema) {
  return {
    type: 'object',
    required: ['items', 'next'],
    properties: { items: { type: 'array', items: ref(schema) }, next: { type: ['string', 'null'] } },
  };
}

function problem(description) {
  return { description, content: { 'application/problem+json': { schema: ref('Problem') } } };
}

function ref(name) {
  return { $ref: `#/components/schemas/${name}` };
}

/** `reading-list` becomes `ReadingList`. */
function schemaName(singular, fallback) {
  const words = (singular.match(/[a-z0-9]+/gi) ?? fallback.match(/[a-z0-9]+/g)).map(
    (word) => word[0].toUpperCase() + word.slice(1),
  );
  return words.join('');
}
