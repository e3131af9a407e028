import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';

/*
 * A job that wants out. Run inside a sandbox with what it is after (JSON) as its argument; prints what
 * came of each attempt: `DONE …`, or why not.
 */
export interface Target {
  readonly tokenFile: string;
  readonly otherTree: string;
  readonly canary: string;
  /** `host:port` of the agent's manager, by each way it could be reached. */
  readonly managers: readonly string[];
  readonly engineSocket: string;
}

const DONE = 'DONE';

type Attempt = () => unknown;

function attemptsOn(target: Target): Record<string, Attempt> {
  const shell = (line: string) => execFileSync('/bin/sh', ['-c', line], { stdio: 'pipe', timeout: 10_000 });
  return {
    'read the token': () => readFileSync(target.tokenFile, 'utf8'),
    'read another job': () => readdirSync(target.otherTree).join(),
    'write into another job': () => writeFileSync(`${target.otherTree}/planted`, ''),
    'find the canary in an environment': () => findInProcesses('environ', target.canary),
    'find the agent among the processes': () => findInProcesses('cmdline', 'agent-in-container'),
    'write a file of the system': () => writeFileSync('/usr/planted', ''),
    'write a file of the container': () => writeFileSync('/planted', ''),
    'read kernel memory': () => readFileSync('/proc/kcore').length,
    'set how core files are written': () => writeFileSync('/proc/sys/kernel/core_pattern', '|/src/own'),
    'raise the limit of namespaces': () => writeFileSync('/proc/sys/user/max_user_namespaces', '1000'),
    'pull the plug': () => writeFileSync('/proc/sysrq-trigger', 'h'),
    mount: () => shell('mkdir -p /tmp/m && mount -t tmpfs none /tmp/m'),
    'bind the whole tree': () => shell('mkdir -p /tmp/m && mount --bind / /tmp/m'),
    'make a user namespace': () => shell('unshare -U true'),
    'make a mount namespace': () => shell('unshare -m true'),
    'enter the first process’s namespaces': () => shell('nsenter -t 1 -m -n true'),
    'become root': () => process.setuid?.(0),
    'find a program that makes it root': () => {
      // A file that is setuid is worth nothing while this flag stands; so the flag is what must be there.
      if (/^NoNewPrivs:\s+1$/m.test(readFileSync('/proc/self/status', 'utf8')))
        throw new Error('no-new-privileges');
    },
    'hold a capability': () => {
      if (/^CapBnd:\s+0+$/m.test(readFileSync('/proc/self/status', 'utf8')))
        throw new Error('none to be had');
    },
    'make a device': () => shell('mknod /tmp/disk b 254 0'),
    'end every process it may': () => {
      // What it may end is inside with it; the agent's answer to all of this is the proof that it lives.
      if (!existsSync('/proc/1/cmdline')) throw new Error('sees none');
      if (readFileSync('/proc/1/cmdline', 'latin1').includes('bwrap')) throw new Error('sees its own alone');
    },
  };
}

function findInProcesses(file: 'environ' | 'cmdline', text: string): string {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    if (Number(pid) === process.pid) continue;
    try {
      if (readFileSync(`/proc/${pid}/${file}`, 'latin1').includes(text)) return pid;
    } catch {
      // Not ours to read, or gone.
    }
  }
  throw new Error('not found');
}

function reach(options: { host: string; port: number } | { path: string }): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(options, () => {
      socket.destroy();
      resolve(DONE);
    });
    socket.setTimeout(3_000, () => socket.destroy(new Error('no answer')));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

async function main(): Promise<void> {
  const target = JSON.parse(process.argv[2] ?? '') as Target;
  const results: Record<string, string> = {};
  for (const [name, attempt] of Object.entries(attemptsOn(target))) {
    try {
      results[name] = `${DONE} ${attempt() ?? ''}`.trim();
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      results[name] = code ?? message.split('\n').at(-2) ?? message;
    }
  }
  for (const address of target.managers) {
    const [host = '', port] = address.split(/:(?=\d+$)/);
    results[`reach the manager at ${address}`] = await reach({ host, port: Number(port) });
  }
  results['reach the engine'] = await reach({ path: target.engineSocket });
  console.log(JSON.stringify(results));
}

await main();
