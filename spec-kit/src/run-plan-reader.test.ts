import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRunPlan } from './run-plan-reader.ts';

function read(files: { dboxYaml?: string; packageJson?: unknown; paths?: string[]; containers?: boolean }) {
  return readRunPlan({
    dboxYaml: files.dboxYaml ?? null,
    packageJson: files.packageJson === undefined ? null : JSON.stringify(files.packageJson),
    paths: files.paths ?? [],
    containers: files.containers ?? false,
  });
}

test('dbox.yaml comes before everything else', () => {
  const packageJson = { scripts: { start: 'node x', build: 'tsc' } };
  assert.deepEqual(read({ dboxYaml: 'run: ./serve\nbuild: make', packageJson, paths: ['index.html'] }), {
    plan: { kind: 'command', build: 'make', run: './serve', from: 'dbox.yaml' },
    findings: [],
  });
});

test('npm start is used where package.json has one, with its build', () => {
  assert.deepEqual(read({ packageJson: { scripts: { start: 'node x' } } }).plan, {
    kind: 'command',
    build: null,
    run: 'npm start',
    from: 'npm start',
  });
  assert.deepEqual(read({ packageJson: { scripts: { start: 'node x', build: 'tsc' } } }).plan, {
    kind: 'command',
    build: 'npm run build',
    run: 'npm start',
    from: 'npm start',
  });
});

test('else a start page at the root, in public or in dist is served', () => {
  const root = (paths: string[]) => {
    const { plan } = read({ paths, packageJson: { scripts: { test: 'x' } } });
    return plan.kind === 'static' ? plan.root : plan.kind;
  };
  assert.equal(root(['index.html', 'public/index.html']), '.');
  assert.equal(root(['public/index.html', 'dist/index.html']), 'public');
  assert.equal(root(['dist/index.html']), 'dist');
  assert.equal(root(['docs/index.html', 'a/public/index.html', 'INDEX.html']), 'nothing');
});

test('a library has nothing to run', () => {
  assert.deepEqual(read({ packageJson: { scripts: { start: ' ' } }, paths: ['lib.js'] }), {
    plan: { kind: 'nothing' },
    findings: [],
  });
});

test('a package.json that is no JSON is warned about and passed over', () => {
  const { plan, findings } = readRunPlan({
    dboxYaml: null,
    packageJson: '{',
    paths: ['index.html'],
    containers: false,
  });
  assert.equal(plan.kind, 'static');
  assert.deepEqual(
    findings.map(({ code, severity, file }) => [code, severity, file]),
    [['json_syntax', 'warning', 'package.json']],
  );
});

test('odd scripts are no start script', () => {
  for (const packageJson of [null, [], 'x', { scripts: null }, { scripts: [] }, { scripts: { start: {} } }]) {
    assert.deepEqual(read({ packageJson }).plan, { kind: 'nothing' });
  }
});

test('a static directory must be in the commit, unless a build makes it', () => {
  const paths = ['site/a.html'];
  assert.deepEqual(read({ dboxYaml: 'static: ./site/', paths }).plan, {
    kind: 'static',
    build: null,
    root: 'site',
    from: 'dbox.yaml',
  });
  assert.equal(read({ dboxYaml: 'static: .', paths: [] }).plan.kind, 'static');
  assert.equal(read({ dboxYaml: 'static: out\nbuild: make', paths }).plan.kind, 'static');
  assert.deepEqual(read({ dboxYaml: 'static: out', paths }).findings[0]?.code, 'bad_path');
});

test('a dbox.yaml with an error is never a plan', () => {
  const cases: Record<string, string> = {
    '': 'empty_document',
    'ruin: x': 'unknown_key',
    'run: x\nstatic: y': 'bad_value',
    'build: x': 'missing_key',
    'run: 7': 'wrong_type',
    'run: ""': 'bad_value',
    'static: ../x': 'bad_path',
    'static: /etc': 'bad_path',
    'run: a: b': 'yaml_syntax',
    '[]': 'wrong_type',
    'run: x\n---\nrun: y': 'bad_value',
    'dockerfile: ../Dockerfile': 'bad_path',
    'dockerfile: /Dockerfile': 'bad_path',
    'dockerfile: Dockerfile.gone': 'bad_path',
    'compose: gone.yaml': 'bad_path',
    'dockerfile: index.html\nrun: x': 'bad_value',
    'dockerfile: index.html\ncompose: index.html': 'bad_value',
    'dockerfile: index.html\nbuild: make': 'bad_value',
    'compose: index.html\nport: 80': 'bad_value',
    'run: x\nport: 80': 'bad_value',
    'dockerfile: index.html\nport: 0': 'bad_value',
    'dockerfile: index.html\nport: "80"': 'wrong_type',
    'port: 80': 'missing_key',
  };
  for (const [dboxYaml, code] of Object.entries(cases)) {
    const { plan, findings } = read({ dboxYaml, paths: ['index.html'] });
    assert.deepEqual(plan, { kind: 'nothing' }, dboxYaml);
    assert.equal(findings[0]?.code, code, dboxYaml);
    assert.equal(findings[0]?.file, 'dbox.yaml');
  }
});

test('in containers a compose file comes before a Dockerfile, and both before what is detected', () => {
  const packageJson = { scripts: { start: 'node x' } };
  const kinds = (paths: string[]) => {
    const { plan } = read({ packageJson, paths, containers: true });
    return 'path' in plan ? plan.path : plan.kind;
  };
  assert.equal(kinds(['Dockerfile', 'docker-compose.yaml', 'index.html']), 'docker-compose.yaml');
  assert.equal(kinds(['docker-compose.yml', 'docker-compose.yaml']), 'docker-compose.yml');
  assert.equal(kinds(['compose.yml', 'docker-compose.yml']), 'compose.yml');
  assert.equal(kinds(['compose.yaml', 'compose.yml']), 'compose.yaml');
  assert.equal(kinds(['Dockerfile', 'index.html']), 'Dockerfile');
  assert.equal(kinds(['docker/Dockerfile', 'dockerfile', 'sub/compose.yaml']), 'command');
  assert.deepEqual(read({ paths: ['Dockerfile'], containers: true }).plan, {
    kind: 'dockerfile',
    path: 'Dockerfile',
    port: null,
    from: 'Dockerfile',
  });
});

test('without containers every other way to run is taken first, and what needs them is still named', () => {
  const plan = (paths: string[], packageJson: unknown = {}) => read({ packageJson, paths }).plan.kind;
  assert.equal(plan(['Dockerfile', 'compose.yaml'], { scripts: { start: 'node x' } }), 'command');
  assert.equal(plan(['Dockerfile', 'compose.yaml', 'index.html']), 'static');
  assert.equal(plan(['Dockerfile', 'compose.yaml']), 'compose');
  assert.equal(plan(['Dockerfile']), 'dockerfile');
});

test('dbox.yaml names a Dockerfile with its port, or a compose file, with and without containers', () => {
  for (const containers of [true, false]) {
    const paths = ['deploy/web.Dockerfile', 'deploy/compose.yaml', 'compose.yaml', 'index.html'];
    const planOf = (dboxYaml: string) => read({ dboxYaml, paths, containers });
    assert.deepEqual(planOf('dockerfile: ./deploy/web.Dockerfile\nport: 3000'), {
      plan: { kind: 'dockerfile', path: 'deploy/web.Dockerfile', port: 3000, from: 'dbox.yaml' },
      findings: [],
    });
    assert.deepEqual(planOf('compose: deploy/compose.yaml').plan, {
      kind: 'compose',
      path: 'deploy/compose.yaml',
      from: 'dbox.yaml',
    });
    assert.equal(planOf('run: node x').plan.kind, 'command');
    assert.equal(planOf('static: .').plan.kind, 'static');
  }
});
