import * as contracts from '@dbox/contracts';
import {
  OPERATIONS,
  type OperationName,
  PROBLEM_STATUS,
  ROLES,
  ROUTES,
  type RouteContract,
} from '@dbox/contracts';
import { z } from 'zod';
import { type Components, createComponents, type JsonSchema } from './openapi-components.ts';

type Json = Record<string, unknown>;

const FINDING: JsonSchema = {
  type: 'object',
  description: 'One finding in what was sent. `line` and `column` count from 1.',
  properties: {
    code: { type: 'string' },
    severity: { type: 'string', enum: ['error', 'warning'] },
    file: {
      type: 'string',
      description: 'A file of the caller, or `path`, `query` or `body` of the request.',
    },
    line: { type: 'integer', minimum: 1 },
    column: { type: 'integer', minimum: 1 },
    path: { type: 'string', description: 'Where in the document, as `acceptance[0].url`.' },
    message: { type: 'string' },
    hint: { type: 'string', description: 'What to write instead.' },
  },
  required: ['code', 'severity', 'file', 'line', 'column', 'path', 'message', 'hint'],
  additionalProperties: false,
};

/** The JSON Schema of a problem document; `finding` refers to, or is, that of a finding. */
export function problemSchema(finding: JsonSchema = FINDING): JsonSchema {
  return {
    type: 'object',
    description: 'An RFC 9457 problem document. Programs read `code`, people read `detail`.',
    properties: {
      type: { type: 'string', description: '`urn:dbox:problem:` and the code.' },
      title: { type: 'string' },
      status: { type: 'integer', enum: [...new Set(Object.values(PROBLEM_STATUS))].sort((a, b) => a - b) },
      code: { type: 'string', enum: Object.keys(PROBLEM_STATUS) },
      detail: { type: 'string', description: 'What happened and what to do next.' },
      findings: { type: 'array', items: finding },
      retryAfterSeconds: { type: 'number' },
    },
    required: ['type', 'title', 'status', 'code', 'detail'],
    additionalProperties: false,
  };
}

const made = new Map<string, Json>();

/**
 * The OpenAPI 3.1 document of the API, made from the contract alone: the same contract gives the same
 * bytes. Every schema that contracts export by name becomes a component of that name. Made once, since
 * anyone may ask for it and making it takes 25 ms.
 */
export function createOpenApi(version: string): Json {
  const document = made.get(version) ?? makeDocument(version);
  made.set(version, document);
  return document;
}

function makeDocument(version: string): Json {
  const components = createComponents(
    Object.entries(contracts).flatMap(([name, value]) =>
      value instanceof z.ZodType ? [[name, value] as const] : [],
    ),
  );
  const paths: Record<string, Json> = {};
  for (const operation of Object.keys(OPERATIONS) as OperationName[]) {
    const [method, path] = OPERATIONS[operation];
    const template = path.replaceAll(/:([a-zA-Z]+)/g, '{$1}');
    paths[template] ??= {};
    paths[template][method.toLowerCase()] = operationObject(operation, path, components);
  }
  components.add('Finding', FINDING);
  components.add('Problem', problemSchema({ $ref: '#/components/schemas/Finding' }));
  return {
    openapi: '3.1.0',
    info: {
      title: 'Developer in a Box',
      version,
      description: 'The API of the manager. Agents, the gateway, the command line and people all speak it.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: 'http://127.0.0.1:7700', description: 'A box on this machine.' }],
    tags: tagsOf(paths),
    paths,
    components: {
      schemas: components.all(),
      responses: {
        Problem: {
          description: 'What went wrong and what to do next.',
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: `A token of one role (${ROLES.join(', ')}). \`x-roles\` of an operation names who may call it.`,
        },
      },
    },
  };
}

function operationObject(operation: OperationName, path: string, components: Components): Json {
  const contract: RouteContract = ROUTES[operation];
  const open = contract.roles === 'anyone';
  return {
    operationId: operation,
    tags: [tagOf(path)],
    summary: contract.summary,
    'x-roles': open ? 'anyone' : contract.roles,
    security: open ? [] : [{ bearer: [] }],
    ...parametersOf(operation, contract, components),
    ...requestBodyOf(contract, components),
    responses: responsesOf(contract, components),
  };
}

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'The same key with the same body is answered as before; with another body it is refused.',
  schema: { type: 'string' },
};
const CONTENT_SHA256 = {
  name: 'X-Content-SHA256',
  in: 'header',
  required: true,
  description: 'SHA-256 of the body in hex.',
  schema: { type: 'string', pattern: '^[0-9a-f]{64}$' },
};
const LAST_EVENT_ID = {
  name: 'Last-Event-ID',
  in: 'header',
  required: false,
  description: 'The sequence number seen last; goes before `after`.',
  schema: { type: 'integer', minimum: 0 },
};
/** Headers that a handler reads; the contract names them in its summaries. */
const HEADERS: { readonly [K in OperationName]?: Json } = {
  submitStory: IDEMPOTENCY_KEY,
  putArtifact: CONTENT_SHA256,
  streamEvents: LAST_EVENT_ID,
};

function parametersOf(operation: OperationName, contract: RouteContract, components: Components): Json {
  const header = HEADERS[operation];
  const parameters = [
    ...fieldsOf(contract.params, 'path', components),
    ...fieldsOf(contract.query, 'query', components),
    ...(header ? [header] : []),
  ];
  return parameters.length > 0 ? { parameters } : {};
}

function fieldsOf(schema: z.ZodObject | undefined, where: 'path' | 'query', components: Components): Json[] {
  if (!schema) return [];
  return Object.entries(schema.shape).map(([name, field]) => ({
    name,
    in: where,
    required: where === 'path' || !field.safeParse(undefined).success,
    schema: components.schemaOf(field, 'input'),
  }));
}

function requestBodyOf({ body, maxBodyBytes }: RouteContract, components: Components): Json {
  if (body === undefined) return {};
  const [mediaType, schema] =
    body === 'stream'
      ? ['application/octet-stream', {}]
      : body === 'lines'
        ? ['application/x-ndjson', { type: 'string', description: 'One JSON value a line.' }]
        : ['application/json', components.schemaOf(body, 'input')];
  return {
    requestBody: {
      required: body !== 'stream',
      description: `At most ${(maxBodyBytes ?? 1024 * 1024) / 1024 / 1024} MiB.`,
      content: { [mediaType]: { schema } },
    },
  };
}

function responsesOf(contract: RouteContract, components: Components): Json {
  const problem = { $ref: '#/components/responses/Problem' };
  return {
    ...(contract.response === 'nothing' ? {} : { 200: answerOf(contract, components) }),
    ...(contract.response === 'nothing' || contract.mayBeEmpty
      ? { 204: { description: contract.response === 'nothing' ? 'Done.' : 'There is nothing.' } }
      : {}),
    ...(contract.roles === 'anyone' ? {} : { 401: problem, 403: problem }),
    default: problem,
  };
}

function answerOf({ response }: RouteContract, components: Components): Json {
  switch (response) {
    case 'text':
      return { description: 'Plain text.', content: { 'text/plain': { schema: { type: 'string' } } } };
    case 'stream':
      return { description: 'The bytes.', content: { 'application/octet-stream': { schema: {} } } };
    case 'events':
      return {
        description:
          'Server-sent events: `id` is the sequence number, `event` the type, `data` the event as JSON.',
        content: { 'text/event-stream': { schema: { type: 'string' } } },
      };
    case 'nothing':
      throw new TypeError('there is no answer');
    default:
      return {
        description: 'The answer.',
        content: { 'application/json': { schema: components.schemaOf(response, 'output') } },
      };
  }
}

/** `/v1/jobs/:jobId/result` → `jobs`. */
function tagOf(path: string): string {
  return path.startsWith('/v1/') ? path.split('/')[2]! : 'box';
}

function tagsOf(paths: Record<string, Json>): Json[] {
  const names = Object.keys(paths).map((path) => tagOf(path));
  return [...new Set(names)].map((name) => ({ name }));
}
