import { Problem } from './problem.js';
import { readFields } from './validate.js';

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;

/** Answers `{status, headers, json}` for `/<resource>` and `/<resource>/<id>`. */
export function createRecordRoutes({ resources, records }) {
  const byName = new Map(resources.map((resource) => [resource.name, resource]));

  return async function route(request) {
    const [name, id, ...rest] = request.path.slice(1).split('/');
    const resource = byName.get(name);
    if (resource === undefined || rest.length > 0 || id === '') {
      throw new Problem(404, 'there is nothing at this address; / shows what there is');
    }
    const verbs = id === undefined ? COLLECTION : RECORD;
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    if (!Object.hasOwn(verbs, method)) {
      const allow = Object.keys(verbs).join(', ');
      throw new Problem(405, `use one of ${allow}`, { headers: { allow } });
    }
    return await verbs[method]({ ...request, id, resource, records: records.get(name) });
  };
}

const COLLECTION = {
  async GET({ query, records }) {
    const { items, next } = await records.list({
      limit: readLimit(query.get('limit')),
      after: query.get('after'),
    });
    return { status: 200, json: { items, next } };
  },
  async POST({ resource, records, readJson }) {
    const record = await records.create(readFields(resource, await readJson(), { partial: false }));
    return withTag(201, record, { location: `/${resource.name}/${record.id}` });
  },
};

const RECORD = {
  async GET({ id, records }) {
    const record = await records.read(id);
    if (record === null) throw new Problem(404, 'there is no such record');
    return withTag(200, record);
  },
  async PUT({ id, resource, records, readJson, ifMatch }) {
    const fields = readFields(resource, await readJson(), { partial: false });
    return withTag(200, await records.update(id, (present) => matching(present, ifMatch) && fields));
  },
  async PATCH({ id, resource, records, readJson, ifMatch }) {
    const fields = readFields(resource, await readJson(), { partial: true });
    return withTag(200, await records.update(id, (present) => matching(present, ifMatch) && fields));
  },
  async DELETE({ id, records, ifMatch }) {
    await records.remove(id, (present) => matching(present, ifMatch));
    return { status: 204 };
  },
};

function withTag(status, record, headers = {}) {
  return { status, headers: { etag: tagOf(record), ...headers }, json: record };
}

function tagOf(record) {
  return `"${record.version}"`;
}

/** Whoever sends `If-Match` changes only what they have seen. */
function matching(record, ifMatch) {
  if (ifMatch === null || ifMatch === '*') return true;
  if (ifMatch.split(',').some((tag) => tag.trim() === tagOf(record))) return true;
  throw new Problem(412, `the record has changed since; it now has version ${record.version}`);
}

function readLimit(value) {
  if (value === null) return DEFAULT_LIMIT;
  const limit = Number(value);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    throw new Problem(400, `limit must be a whole number from 1 to ${MAX_LIMIT}`);
  }
  return limit;
}
