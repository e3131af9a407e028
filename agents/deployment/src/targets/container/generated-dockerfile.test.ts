import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateDockerfile } from './generated-dockerfile.ts';

const APP = {
  manifests: ['package.json', 'package-lock.json'],
  needsInstall: true,
  isLocked: true,
  hasNpmrc: true,
  hasProjectNpmrc: true,
  build: null,
  start: { kind: 'command', run: 'npm start' },
} as const;

test('an app’s dependencies come before its files, by its lock, without scripts, and no setting of npm stays', () => {
  assert.equal(
    generateDockerfile(APP),
    `FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY app/package.json app/package-lock.json ./
COPY project.npmrc ./.npmrc
RUN --mount=type=cache,target=/root/.npm --mount=type=bind,source=npmrc,target=/root/.npmrc npm_config_git=git npm ci --omit=dev --allow-git=none --ignore-scripts --git=git --no-audit --no-fund --no-progress --no-update-notifier --loglevel=error
COPY app/ ./
USER node
CMD ["/bin/sh","-c","npm start"]
`,
  );
});

test('packages from git are prepared where no token of the box is near', () => {
  const text = generateDockerfile({ ...APP, hasNpmrc: false, hasProjectNpmrc: false });
  assert.equal(/allow-git|npmrc/.test(text), false);
});

test('a build is one shell command without a network, whatever stands in it', () => {
  const build = `echo "$HOME"\nUSER root\n# 'x' \\`;
  const text = generateDockerfile({ ...APP, build });
  assert.ok(text.includes(`RUN --network=none ${JSON.stringify(['/bin/sh', '-c', build])}\n`));
  assert.match(text, /npm ci --include=dev/);
  assert.equal(/^USER root/m.test(text), false);
});

test('static files get the box’s own server, as a user that owns nothing', () => {
  const text = generateDockerfile({
    ...APP,
    needsInstall: false,
    start: { kind: 'static', root: 'public' },
  });
  assert.match(text, /USER node\nCMD \["node","\/opt\/dbox\/static-server.mjs","8080","public"\]/);
});
