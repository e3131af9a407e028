/** Arrows point one way: contracts ← sdk, sandbox, probe ← agents; the manager's core knows no adapter. */
const agents = '^agents/([^/]+)/';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'contracts-import-nobody',
      severity: 'error',
      from: { path: '^contracts/', pathNot: '\\.test\\.ts$' },
      to: { pathNot: ['^contracts/', '(^|/)node_modules/zod/'] },
    },
    {
      name: 'agents-know-neither-manager-nor-each-other',
      severity: 'error',
      from: { path: agents },
      to: { path: '^(agents/|manager/|gateway/|box/|cli/|spec-kit/|e2e/|bench/)', pathNot: '^agents/$1/' },
    },
    {
      name: 'shared-rooms-know-only-contracts',
      severity: 'error',
      from: { path: '^(agent-sdk|archive|sandbox|probe|gateway|spec-kit)/' },
      to: {
        path: '^(agents|manager|box|cli|agent-sdk|archive|sandbox|probe|gateway|spec-kit|e2e|bench)/',
        pathNot: '^$1/',
      },
    },
    {
      name: 'cli-knows-contracts-spec-kit-and-archive',
      severity: 'error',
      from: { path: '^cli/' },
      to: { path: '^(agents|manager|box|agent-sdk|sandbox|probe|gateway|e2e|bench)/' },
    },
    {
      name: 'manager-knows-contracts-spec-kit-and-archive',
      severity: 'error',
      from: { path: '^manager/' },
      to: { path: '^(agents|box|cli|agent-sdk|sandbox|probe|gateway|e2e|bench)/' },
    },
    {
      name: 'nobody-imports-the-box',
      severity: 'error',
      from: { pathNot: '^(box|e2e|bench)/' },
      to: { path: '^box/' },
    },
    {
      name: 'domain-is-pure',
      severity: 'error',
      from: { path: '^manager/src/domain/', pathNot: '\\.test\\.ts$' },
      to: { pathNot: ['^manager/src/domain/', '^contracts/'] },
    },
    {
      name: 'ports-know-contracts-alone',
      severity: 'error',
      from: { path: '^manager/src/ports/', pathNot: ['\\.test\\.ts$', '/testing/'] },
      to: { path: '^manager/src/(app|http|loops|adapters|main)' },
    },
    {
      name: 'app-knows-ports-and-domain',
      severity: 'error',
      from: { path: '^manager/src/app/', pathNot: ['\\.test\\.ts$', '/testing/'] },
      to: { path: '^manager/src/(http|loops|adapters|main|config)' },
    },
    {
      name: 'adapters-know-ports-and-domain',
      severity: 'error',
      from: { path: '^manager/src/adapters/', pathNot: '\\.test\\.ts$' },
      to: { path: '^manager/src/(http|loops|app|main|config)' },
    },
    {
      name: 'http-and-loops-know-no-adapter',
      severity: 'error',
      from: { path: '^manager/src/(http|loops)/', pathNot: '\\.test\\.ts$' },
      to: { path: '^manager/src/(adapters|main)' },
    },
    {
      name: 'http-and-loops-know-nothing-of-each-other',
      severity: 'error',
      from: { path: '^manager/src/(http|loops)/', pathNot: '\\.test\\.ts$' },
      to: { path: '^manager/src/(http|loops)/', pathNot: '^manager/src/$1/' },
    },
    {
      name: 'testing-helpers-stay-in-tests',
      severity: 'error',
      from: {
        pathNot: [
          '\\.test\\.ts$',
          '/testing/',
          '\\.testsuite\\.ts$',
          '^(e2e|bench)/',
          '^agent-sdk/src/testing',
        ],
      },
      to: {
        path: ['/src/testing/', '/src/[^/]+/testing/', '/src/[^/]+/[^/]+/testing/', '\\.testsuite\\.ts$'],
      },
    },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    includeOnly: {
      path: '^(contracts|spec-kit|archive|sandbox|probe|gateway|manager|agent-sdk|agents|box|cli|e2e|bench|scripts)/|^node:|node_modules',
    },
    exclude: { path: ['^templates', '^workspace', '^specs', '^node_modules/.cache'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
