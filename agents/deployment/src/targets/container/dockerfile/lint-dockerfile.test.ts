// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Dockerfiles are written so.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DockerfileToLint } from './lint-dockerfile.ts';
import { lintDockerfile } from './lint-dockerfile.ts';

function lint(text: string, more: Partial<DockerfileToLint> = {}) {
  return lintDockerfile({ text, file: 'Dockerfile', args: {}, target: null, boxName: 'mybox', ...more });
}

function codes(text: string, more: Partial<DockerfileToLint> = {}): string[] {
  return lint(text, more).findings.map(({ code, line }) => `${code} ${line}`);
}

const USUAL = `# The usual, with nothing to say about it.
ARG NODE=24
FROM node:\${NODE}-bookworm-slim AS build
WORKDIR /app
COPY package*.json ./
RUN --mount=type=cache,target=/root/.npm npm ci && \\
    # why not
    npm cache clean --force

COPY . .
RUN <<EOF
set -e
npm run build
EOF
FROM build AS test
RUN npm test
FROM node:\${NODE}-bookworm-slim
COPY --from=build --chown=node:node /app/dist /app
COPY --from=0 /app/package.json /app/
ADD assets.tar.gz /app
RUN --network=none --mount=type=bind,from=build,source=/app,target=/src cp -r /src/x /app
EXPOSE 3000/tcp 9229/udp
EXPOSE $PORT
ENV PORT=3000
CMD ["node", "/app/server.js"]
`;

test('a usual Dockerfile passes, and its ports are known', () => {
  assert.deepEqual(lint(USUAL), { findings: [], exposedPorts: [3000] });
  assert.deepEqual(lint(USUAL.replaceAll('\n', '\r\n')), { findings: [], exposedPorts: [3000] });
  assert.deepEqual(lint(`\ufeff${USUAL}`).findings, []);
});

test('the ports are those of the stage that is built, and of the stages it begins with', () => {
  const text = 'FROM a AS one\nEXPOSE 80\nFROM one AS two\nEXPOSE 81 81\nFROM b AS three\nEXPOSE 82\n';
  assert.deepEqual(lint(text).exposedPorts, [82]);
  assert.deepEqual(lint(text, { target: 'TWO' }).exposedPorts, [80, 81]);
  assert.deepEqual(lint(text, { target: '0' }).exposedPorts, [80]);
  assert.deepEqual(lint(text, { target: 'none' }).exposedPorts, []);
});

const REFUSED: Readonly<Record<string, string>> = {
  'RUN --mount=type=secret,id=npm npm ci': 'secret_mount 2',
  'RUN --mount=type=ssh git clone x': 'secret_mount 2',
  'RUN --mount="type=secret,id=x" y': 'secret_mount 2',
  'RUN --mount=id=x,Type=secret y': 'secret_mount 2',
  'RUN --mount=type=$TYPE y': 'bad_mount 2',
  'RUN --mount=type=bind,from=dbox-manager,target=/x y': 'bad_image 2',
  'RUN --mount=from=mybox/shop,target=/x y': 'bad_image 2',
  'RUN --security=insecure mount /dev/sda': 'insecure_build 2',
  'run --network=host curl localhost': 'host_network 2',
  'RUN --network=$NET curl localhost': 'host_network 2',
  'RUN --mount=type=cache,target=/x --network=host y': 'host_network 2',
  'RUN \\\n  --network=host y': 'host_network 2',
  'RUN --device=nvidia.com/gpu=all y': 'device 2',
  'ONBUILD RUN --security=insecure y': 'insecure_build 2',
  'COPY --from=mybox-rel-1 / /': 'bad_image 2',
  'COPY --from=0123456789ab / /': 'bad_image 2',
  'COPY --from=$WHAT / /': 'bad_image 2',
  'ADD http://169.254.169.254/latest /x': 'remote_add 2',
  'ADD --checksum=sha256:aa https://example.org/x /x': 'remote_add 2',
  'ADD ["https://example.org/x", "/x"]': 'remote_add 2',
  'ADD git@example.org:a/b.git /x': 'remote_add 2',
  'ADD ${URL} /x': 'remote_add 2',
  'FROM dbox/coding-agent': 'bad_image 2',
  'FROM --platform=linux/amd64 mybox': 'bad_image 2',
  'FROM localhost:5000/x': 'bad_image 2',
  'FROM ${NOT_KNOWN}': 'bad_image 2',
};

test('what would give a build more than the commit and the public network is refused where it stands', () => {
  for (const [line, expected] of Object.entries(REFUSED)) {
    assert.deepEqual(codes(`FROM node:24\n${line}\n`), [expected], line);
  }
});

test('what an argument makes of an image is judged', () => {
  assert.deepEqual(codes('ARG BASE=node\nARG FULL=${BASE}:24\nFROM $FULL'), []);
  assert.deepEqual(codes('ARG BASE=node\nFROM ${BASE}', { args: { BASE: 'mybox/shop' } }), ['bad_image 2']);
  assert.deepEqual(codes('ARG BASE\nFROM ${BASE:-dbox}'), ['bad_image 2']);
  assert.deepEqual(codes('ARG BASE="dbox"\nFROM ${BASE}'), ['bad_image 2']);
  assert.deepEqual(codes('ARG A=x\nFROM ${A:+dbox}'), ['bad_image 2']);
  assert.deepEqual(codes('FROM ${A#x}'), ['bad_image 1']);
  assert.deepEqual(codes('FROM d\\box'), ['bad_image 1']);
});

test('a stage that comes later does not stand for an image that is not to be had', () => {
  assert.deepEqual(codes('FROM mybox-manager\nFROM scratch AS mybox-manager\n'), ['bad_image 1']);
  assert.deepEqual(codes('FROM scratch AS mybox-manager\nFROM mybox-manager\n'), []);
});

test('frontends of others are refused in every way they can be asked for', () => {
  const heads = [
    ...['# syntax=docker/dockerfile:1', '#syntax = x', '#\tSYNTAX=x', '// syntax=x', '#!/x\n# syntax=y'],
    ...['# a comment\n\n# syntax=x', '# escape=`\n# syntax=x'],
  ];
  for (const head of heads) {
    assert.deepEqual(codes(`${head}\nFROM a`), [`syntax_line ${head.split('\n').length}`], head);
  }
  assert.deepEqual(codes('FROM a\n# syntax=x\n'), []);
  assert.ok(codes('{"syntax": "x"}').includes('bad_file 1'));
});

test('the escape directive moves where lines are continued', () => {
  const text = '# escape=`\nFROM a\nCOPY x C:\\\nRUN --network=host x\nRUN `\n--security=insecure y';
  assert.deepEqual(codes(text), ['host_network 4', 'insecure_build 5']);
});

test('nothing hides behind a heredoc, however its end is read', () => {
  const hidden = ['RUN <<EOF', 'x', 'EOF', 'RUN --network=host x'].join('\n');
  assert.deepEqual(codes(`FROM a\n${hidden}`), ['host_network 5']);
  const firsts = [
    ...["RUN <<'EOF\\'", 'RUN echo "<<EOF"', 'RUN echo $((1<<EOF))', 'RUN cat <<A <<B'],
    ...['COPY <<A /x', 'ONBUILD RUN <<A'],
  ];
  for (const first of firsts) {
    const text = `FROM a\n${first}\nx\nEOF\\\nRUN --network=host x\nB\n`;
    assert.ok(codes(text).includes('host_network 5'), first);
  }
  assert.deepEqual(codes('FROM a\nRUN x \\\f\nRUN --network=host x\n'), ['host_network 3']);
  assert.deepEqual(codes('FROM a\nRUN x \\ \t\n# a comment\n\nRUN --network=host x\n'), []);
  // What only looks like an instruction to the shell is no stage and no port.
  const { exposedPorts, findings } = lint('FROM a\nEXPOSE 80\nRUN <<EOF\nFROM nowhere\nEXPOSE 81\nEOF\n');
  assert.deepEqual([exposedPorts, findings], [[80], []]);
});

test('a file without FROM, with NUL or too large is refused', () => {
  assert.deepEqual(codes(''), ['no_from 1']);
  assert.deepEqual(codes('RUN x'), ['no_from 1']);
  assert.deepEqual(codes('FROM a\0'), ['bad_file 1']);
  assert.deepEqual(codes(`FROM a\n#${'x'.repeat(1024 * 1024)}`), ['bad_file 1']);
});

test('no text makes it throw or hang', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      ...['FROM ', 'RUN ', 'COPY ', 'ADD ', 'ONBUILD ', 'ARG ', 'EXPOSE ', ' AS ', '--mount=', '--from='],
      ...['type=', ',', '\n', '\\\n', '`\n', '# escape=`\n', '# syntax=', '<<EOF', 'EOF', '$', '${', '}'],
      ...[':-', '"', "'", '[', '\t'],
    ),
    fc.string({ unit: 'binary', maxLength: 8 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      for (const { line, message, hint } of lint(pieces.join('')).findings) {
        assert.ok(line >= 1 && message.length < 400 && hint.length > 0);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: a message goes to a terminal.
        assert.doesNotMatch(message + hint, /[\u0000-\u001f\u007f]/);
      }
    }),
    { numRuns: 500 },
  );
  const startedAt = performance.now();
  for (const text of [
    'RUN <<a ',
    '--x ',
    '$',
    '${A',
    '\\\n',
    'FROM a\nRUN <<A <<B\n',
    'a@',
    'a+',
    '"',
    ' ',
    '\t',
  ]) {
    const much = text.repeat(Math.floor((200 * 1024) / text.length));
    for (const name of ['RUN ', 'ADD ', 'FROM ', 'ARG A=', 'COPY --from=']) lint(`${name}${much}x`);
  }
  assert.ok(performance.now() - startedAt < 10_000, 'it took too long');
});
