import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Box } from '../../box.ts';
import type { Scenario } from '../../scenario.ts';
import { DOCKER, stackOf } from '../../scenario.ts';
import { docker, SERVICES } from '../../stack.ts';

/** Each line it prints is a finding. Runs as the image's root, so that nothing hides from it. */
const SEARCH = `
find / -xdev -type f -perm /6000 | sed 's/^/setuid: /'
for name in sshd dropbear telnetd; do command -v $name && echo "remote shell: $name"; done
for name in cc gcc g++ clang tcc as ld make cmake cargo rustc go javac; do command -v $name && echo "compiler: $name"; done
awk -F: '$2 !~ /^[!*]/ { print "password: " $1 }' /etc/shadow
awk -F: '$3 == 0 && $1 != "root" { print "a second root: " $1 }' /etc/passwd
find / -xdev \\( -name id_rsa -o -name id_ed25519 -o -name '.npmrc' -o -name '.netrc' -o -name '*.token' -o -name .git \\) \\
  -not -path '*/node_modules/npm/*' -print0 | xargs -0 -r grep -lE 'PRIVATE KEY|_auth|password|dbox_' /dev/null | sed 's/^/secret: /'
`;

export const leanImages: Scenario = {
  name: 'no image holds a way in, a password, a setuid program, a compiler or a secret of this box',
  modes: DOCKER,
  async run(box) {
    await box.ok(['up']);
    const secrets = await readSecrets(box);
    assert.ok(secrets.length >= 5, `only ${secrets.length} secrets were found to look for`);
    const stack = stackOf(box);
    for (const service of SERVICES) {
      // Postgres comes as its makers ship it.
      if (service === 'task-store') continue;
      const { Image } = await stack.service(service);
      const bare = ['run', '--rm', '--network', 'none', '--user', '0', '--entrypoint', '/bin/sh'];
      const findings = await docker([...bare, '--label', `dbox.box=${stack.name}`, Image, '-c', SEARCH]);
      assert.equal(findings, '', `${service}: ${findings}`);
      const search = `cat >/tmp/s && grep -rlFf /tmp/s --exclude-dir=proc --exclude-dir=sys --exclude=s / ; true`;
      const found = await searchImage(bare, stack.name, Image, search, secrets.join('\n'));
      assert.equal(found, '', `${service} holds a secret: ${found}`);
    }
  },
};

/** The values of everything in the box's own place for secrets. */
export async function readSecrets(box: Box): Promise<string[]> {
  const directory = join(box.workspace, 'secrets');
  const values: string[] = [];
  for (const name of await readdir(directory)) {
    const bytes = await readFile(join(directory, name)).catch(() => null);
    if (bytes === null) continue;
    const text = bytes.toString('utf8').trim();
    if (text.length >= 16 && /^[\x21-\x7e]+$/.test(text)) values.push(text);
    else if (bytes.length >= 16) values.push(bytes.toString('hex'), bytes.toString('base64'));
  }
  return values;
}

async function searchImage(
  bare: readonly string[],
  boxName: string,
  image: string,
  script: string,
  input: string,
): Promise<string> {
  const child = spawn('docker', [...bare, '-i', '--label', `dbox.box=${boxName}`, image, '-c', script], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  child.stdin.end(input);
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  await new Promise((resolve) => child.once('close', resolve));
  return out;
}
