import { splitImageName } from '../image-name.ts';

/** Last parts of names of images that keep data: what they hold must outlive a release. */
const NAMES: ReadonlySet<string> = new Set([
  ...[
    'postgres',
    'postgresql',
    'postgis',
    'pgvector',
    'timescaledb',
    'timescaledb-ha',
    'cockroach',
    'yugabyte',
  ],
  ...['mysql', 'mysql-server', 'mariadb', 'percona', 'percona-server', 'azure-sql-edge', 'mssql-server'],
  ...['redis', 'redis-stack', 'redis-stack-server', 'valkey', 'keydb', 'dragonfly', 'memcached'],
  ...[
    'mongo',
    'mongodb',
    'mongodb-community-server',
    'ferretdb',
    'couchdb',
    'couchbase',
    'rethinkdb',
    'arangodb',
  ],
  ...[
    'elasticsearch',
    'opensearch',
    'solr',
    'meilisearch',
    'typesense',
    'qdrant',
    'weaviate',
    'milvus',
    'chroma',
  ],
  ...['rabbitmq', 'nats', 'kafka', 'cp-kafka', 'redpanda', 'zookeeper', 'cp-zookeeper', 'activemq', 'emqx'],
  ...[
    'clickhouse',
    'clickhouse-server',
    'influxdb',
    'questdb',
    'victoria-metrics',
    'cassandra',
    'scylla',
    'neo4j',
  ],
  ...['minio', 'etcd', 'consul', 'vault', 'surrealdb'],
]);

/** Whether an image is known for the data that it keeps. */
export function isStatefulImage(image: string): boolean {
  const { repository } = splitImageName(image);
  return NAMES.has(repository.split('/').at(-1)!) || /^mssql\/server$/.test(repository);
}
