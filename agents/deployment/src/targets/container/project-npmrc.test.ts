import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readProjectNpmrc, tellLeftOut } from './project-npmrc.ts';

test('where packages come from and how a tree is made takes part in an install', () => {
  const { text, leftOut } = readProjectNpmrc(
    [
      '\uFEFFregistry = "https://npm.example.org/a/"',
      "@acme:registry='http://10.0.0.1:4873'",
      '; a comment',
      '# another',
      'legacy-peer-deps',
      'engine-strict=true ; why',
      'ignore-scripts=true',
      'omit[]=optional',
      'omit[]=peer',
      'fund=false',
      'fund=true',
    ].join('\r\n'),
  );
  assert.equal(
    text,
    'registry=https://npm.example.org/a/\n@acme:registry=http://10.0.0.1:4873/\nlegacy-peer-deps=true\n' +
      'engine-strict=true\nignore-scripts=true\nomit[]=optional\nomit[]=peer\nfund=true\n',
  );
  assert.deepEqual(leftOut, []);
});

const HOSTILE: readonly (readonly [line: string, name: string])[] = [
  ['proxy=http://evil.example:1', 'proxy'],
  ['  https-proxy   =   http://evil.example:1  ', 'https-proxy'],
  ['"proxy"="http://evil.example:1"', 'proxy'],
  ["'https-proxy'=http://evil.example:1", 'https-proxy'],
  ['\uFEFFproxy=http://evil.example:1', 'proxy'],
  ['proxy[]=http://evil.example:1', 'proxy'],
  ['Proxy=http://evil.example:1', 'Proxy'],
  ['proxy ; =http://evil.example:1', 'proxy'],
  ['"pro\\u0078y"=http://evil.example:1', 'a line of another form'],
  ['noproxy=example.org', 'noproxy'],
  ['strict-ssl=false', 'strict-ssl'],
  ['no-strict-ssl', 'no-strict-ssl'],
  ['ca[]="-----BEGIN"', 'ca'],
  ['cafile=evil.pem', 'cafile'],
  ['cert=x', 'cert'],
  ['key=x', 'key'],
  ['git=./evil', 'git'],
  ['script-shell=./evil', 'script-shell'],
  ['node-options=--require=./evil', 'node-options'],
  ['userconfig=./evil', 'userconfig'],
  ['globalconfig=./evil', 'globalconfig'],
  ['prefix=/evil', 'prefix'],
  ['cache=/evil', 'cache'],
  ['replace-registry-host=always', 'replace-registry-host'],
  ['allow-git=all', 'allow-git'],
  ['_auth=c2VjcmV0', '_auth'],
  ['//evil.example/:_authToken=secret', '//…:_authToken'],
  ['npm_s3cretTokenOnALineOfItsOwn', 'a line of another form'],
  ['ignore-scripts=false', 'ignore-scripts'],
  ['legacy-peer-deps=maybe', 'legacy-peer-deps'],
  ['registry=https://user:secret@evil.example/', 'registry'],
  ['registry=https://evil.example/$' + '{NPM_TOKEN}/', 'registry'],
  ['registry=https://evil.example/?a', 'registry'],
  ['registry=file:///root/.npmrc', 'registry'],
  ['registry[]=https://evil.example/', 'registry'],
  ['registry=https://evil.example\\;x', 'registry'],
  ['registry=https://[::', 'registry'],
  ['@a b:registry=https://evil.example/', 'a line of another form'],
  ['omit=everything', 'omit'],
  ['__proto__=x', 'a line of another form'],
];

for (const [line, name] of HOSTILE) {
  test(`left out by its name: ${JSON.stringify(line)}`, () => {
    assert.deepEqual(readProjectNpmrc(`fund=false\r${line}\n`), { text: 'fund=false\n', leftOut: [name] });
  });
}

test('a setting said twice, once in a way that is left out, is left out', () => {
  const good = 'registry=https://npm.example.org/\n';
  const bad = 'registry=https://u:p@evil.example/\n';
  for (const source of [good + bad, bad + good]) {
    assert.deepEqual(readProjectNpmrc(source), { text: '', leftOut: ['registry'] });
  }
});

test('what stands under a heading is left out', () => {
  assert.equal(readProjectNpmrc('fund=false\n[a]\nregistry=https://evil.example/').text, 'fund=false\n');
});

test('the log’s line names what is left out, never a value, and has an end', () => {
  assert.equal(tellLeftOut([]), null);
  const told = tellLeftOut(readProjectNpmrc('proxy=http://u:secret@x\nkey=secret\n').leftOut);
  assert.equal(told, '.npmrc: left out of the install: proxy, key');
  assert.match(tellLeftOut(Array.from({ length: 40 }, (_, at) => `k${at}`)) ?? '', /k11 and 28 more$/);
});
