import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { networkInterfaces } from 'node:os';
import { get } from '../../box.ts';
import { service } from '../../recorded-task.ts';
import type { Scenario } from '../../scenario.ts';
import { DOCKER, deliver, stackOf } from '../../scenario.ts';
import { docker } from '../../stack.ts';

/** Tries each address it is asked about and answers what came of it; also what it can see of the engine. */
const SPY = `import { connect } from 'node:net';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { lookup } from 'node:dns/promises';
const reach = (host, port) => new Promise((done) => {
  const socket = connect({ host, port }, () => { socket.destroy(); done('REACHED'); });
  socket.setTimeout(2000, () => { socket.destroy(); done('silence'); });
  socket.once('error', (error) => done(error.code));
});
const attempt = (run) => { try { run(); return 'DONE'; } catch (error) { return error.code; } };
globalThis.answer = (request, response) => {
  if (!request.url.startsWith('/try?')) return false;
  const targets = request.url.slice(5).split(',').map((one) => one.split(':'));
  Promise.all(targets.map(async ([host, port]) => [host + ':' + port, await reach(host, Number(port))])).then(async (found) => {
    const name = await lookup('example.com').then(() => 'REACHED', (error) => error.code);
    response.end(JSON.stringify({
      ...Object.fromEntries(found),
      'names of the internet': name,
      'the engine by file': ['/var/run/docker.sock', '/run/docker.sock'].some(existsSync) ? 'DONE' : 'none',
      'secrets of services': existsSync('/run/secrets') ? 'DONE' : 'none',
      'the share': existsSync('/workspace') ? 'DONE' : 'none',
      'write its own root': attempt(() => writeFileSync('/planted', '')),
      'a sysctl': attempt(() => writeFileSync('/proc/sys/kernel/core_pattern', '|/x')),
      'capabilities': /^CapBnd:\\s+0+$/m.test(readFileSync('/proc/self/status', 'utf8')) ? 'none' : 'DONE',
      'privileges to gain': /^NoNewPrivs:\\s+1$/m.test(readFileSync('/proc/self/status', 'utf8')) ? 'none' : 'DONE',
      'root': process.getuid() === 0 ? 'DONE' : 'none',
    }));
  });
  return true;
};`;
/** Anybody's, which answer from any host with a way out. */
const OUTSIDE = ['1.1.1.1:443', '8.8.8.8:53', '169.254.169.254:80'];

export const hostileRelease: Scenario = {
  name: 'a release reaches neither the host nor the internet, the manager, the store or the engine',
  modes: DOCKER,
  async run(box) {
    await box.ok(['up']);
    const report = await deliver(box, 'spy-site', [
      { id: 'spy-site', attempts: [service('spy', SPY)], acceptance: '  - url: /\n' },
    ]);
    // A service of the host that listens everywhere: whatever way there is to the host leads to it.
    const host = createServer((_, response) => response.end('the host'));
    await new Promise<void>((listening) => host.listen(0, '0.0.0.0', listening));
    const { port } = host.address() as { port: number };
    try {
      const targets = [...OUTSIDE, `localhost:${port}`, `host.docker.internal:${port}`];
      for (const address of ownAddresses()) targets.push(`${address}:${port}`, `${address}:22`);
      const stack = stackOf(box);
      const services = { manager: 7700, 'task-store': 5432 } as const;
      for (const [name, servicePort] of Object.entries(services)) {
        const ports = name === 'manager' ? [7700, Number(box.env.DBOX_PORT)] : [servicePort];
        const { NetworkSettings } = await stack.service(name as keyof typeof services);
        const places = [name, ...Object.values(NetworkSettings.Networks).map((one) => one.IPAddress)];
        for (const place of places) for (const one of ports) targets.push(`${place}:${one}`);
      }
      for (const gateway of await networkGateways(stack.networkName('dev')))
        targets.push(`${gateway}:${port}`);
      const answer = await get(`${report.url}/try?${targets.join(',')}`);
      const found = JSON.parse(answer.text) as Record<string, string>;
      assert.ok(Object.keys(found).length >= targets.length, answer.text);
      const reached = Object.entries(found).filter(([, end]) => end === 'REACHED' || end === 'DONE');
      assert.deepEqual(reached, []);
      // The very same attempts lead to the host from where nothing is in the way: so they are real ones.
      assert.equal((await fetch(`http://${ownAddresses()[0] ?? '127.0.0.1'}:${port}`)).status, 200);
    } finally {
      host.close();
    }
  },
};

function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses) =>
    (addresses ?? []).filter((one) => one.family === 'IPv4' && !one.internal).map((one) => one.address),
  );
}

async function networkGateways(network: string): Promise<string[]> {
  const format = '{{range .IPAM.Config}}{{.Gateway}} {{end}}';
  const gateways = await docker(['network', 'inspect', '--format', format, network]);
  return gateways.split(/\s+/).filter((one) => one !== '');
}
