import assert from 'node:assert/strict';
import type { StoryReport } from '@dbox/contracts';
import type { Box } from '../box.ts';
import { get } from '../box.ts';
import type { Files } from '../recorded-task.ts';
import { recordTasks } from '../recorded-task.ts';
import type { Scenario } from '../scenario.ts';
import { DOCKER, deliver, devOf, showTask } from '../scenario.ts';
import { containerSite, dockerfile } from './container-projects.ts';

const HOME = '  - url: http://devsite:8080\n  - should_respond: 200\n';

interface BadAttempt {
  readonly what: string;
  readonly files: Files;
  /** Must be in what the coder is told. */
  readonly says: RegExp;
}

const BAD_DOCKERFILES: readonly BadAttempt[] = [
  {
    what: 'a step that fails',
    files: { Dockerfile: dockerfile('RUN seq 1 5000 && echo the reason is here >&2 && exit 7\n') },
    says: /the reason is here/,
  },
  {
    what: 'the network of the host',
    files: { Dockerfile: dockerfile('RUN --network=host true\n') },
    says: /Dockerfile:3:1: .*network/,
  },
  {
    what: 'an image that does not listen where it says',
    files: {
      Dockerfile: dockerfile('ENV PORT=3000\n', 9999).replace('"node", ', '"env", "PORT=3000", "node", '),
    },
    says: /port 9999/,
  },
];

/** Each below a web service, from line 5 on. */
const BAD_COMPOSE_LINES: Readonly<Record<string, RegExp>> = {
  'privileged: true': /compose\.yaml:5:5: .*privileged/,
  'network_mode: host': /compose\.yaml:5:5: .*network/,
  'volumes: ["/:/host"]': /compose\.yaml:5:15: .*`\/`/,
  'volumes: ["/var/run/docker.sock:/var/run/docker.sock"]': /compose\.yaml:5:15: .*socket/,
  'enviroment: {A: b}': /compose\.yaml:5:5: .*enviroment.*`environment`/,
};

const BAD_COMPOSE: readonly BadAttempt[] = Object.entries(BAD_COMPOSE_LINES).map(([line, says]) => ({
  what: line,
  files: { 'compose.yaml': `services:\n  web:\n    build: .\n    ports: ["3000"]\n    ${line}\n` },
  says,
}));

export const badDockerfiles: Scenario = {
  name: 'a Dockerfile that cannot be built or does not serve is refused, and the coder gets the reason',
  modes: DOCKER,
  run: (box) => refuseEachThenGoOn(box, 'baked', BAD_DOCKERFILES, {}),
};

export const badComposeFiles: Scenario = {
  name: 'a compose file that asks for the host is refused by name and line, and the old release serves on',
  modes: DOCKER,
  run: (box) =>
    refuseEachThenGoOn(box, 'composed', BAD_COMPOSE, {
      'compose.yaml': 'services:\n  web:\n    build: .\n    ports: ["3000"]\n',
    }),
};

/** Attempt after attempt is refused while visitors see the first release; the last one is good. */
async function refuseEachThenGoOn(
  box: Box,
  project: string,
  bad: readonly BadAttempt[],
  good: Files,
): Promise<void> {
  await box.ok(['up']);
  const first = await deliver(box, project, [
    { id: `${project}-one`, attempts: [{ ...containerSite('one'), ...good }], acceptance: HOME },
  ]);
  const live = (await devOf(box, project)).release!.id;
  const site = containerSite('two');
  const file = await recordTasks(box.directory, [
    {
      id: `${project}-two`,
      attempts: [...bad.map(({ files }) => ({ ...site, ...good, ...files })), { ...site, ...good }],
      acceptance: HOME,
      more: `constraints: {max_attempts: ${bad.length + 1}}`,
    },
  ]);
  const answers = new Set<string>();
  let isDone = false;
  const visitor = (async () => {
    while (!isDone) {
      answers.add(await get(first.url!).then((answer) => `${answer.status} ${answer.text}`, String));
      await new Promise((wake) => setTimeout(wake, 20));
    }
  })();
  try {
    await box.json<StoryReport>(['story', '-f', file, '--project', project, '--follow']);
  } finally {
    isDone = true;
    await visitor;
  }
  const strange = [...answers].filter((one) => one !== '200 version one' && one !== '200 version two');
  assert.deepEqual(strange, [], 'visitors saw the old release, then the new one, and nothing between');
  assert.equal((await get(first.url!)).text, 'version two');
  assert.notEqual((await devOf(box, project)).release!.id, live);
  const { attempts } = await showTask(box, `${project}-two`);
  assert.equal(attempts.length, bad.length + 1);
  for (const [n, { what, says }] of bad.entries()) {
    assert.match(attempts[n]!.verdict!.summary, says, `${what}: ${attempts[n]!.verdict!.summary}`);
  }
}
