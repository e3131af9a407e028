import { execFile } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const READ_BYTES = 64 * 1024;
const MKFIFO_TIMEOUT_MS = 10_000;

export interface OutputPipe {
  /** For the child's `stdio`; to be closed here once the child has it. */
  readonly childDescriptor: number;
  /** Resolves when every holder of the other end has closed it, or after `destroy`. */
  readonly closed: Promise<void>;
  destroy(): void;
}

/**
 * Two pipes, read into one buffer each again and again. Node's own `stdio: 'pipe'` allocates 64 KiB
 * for every read, which the collector lets grow to 64 MB and more when a command prints a gigabyte;
 * and it makes sockets, which cannot be opened as /dev/stdout or /dev/stderr.
 * `onData` must copy what it wants to keep.
 */
export async function openOutputPipes(
  onData: readonly [(chunk: Uint8Array) => void, (chunk: Uint8Array) => void],
): Promise<readonly [OutputPipe, OutputPipe]> {
  const directory = await mkdtemp(join(tmpdir(), 'dbox-pipes-'));
  try {
    const paths = [join(directory, 'out'), join(directory, 'err')] as const;
    await promisify(execFile)('mkfifo', ['-m', '600', ...paths], { timeout: MKFIFO_TIMEOUT_MS });
    return [openPipe(paths[0], onData[0]), openPipe(paths[1], onData[1])];
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function openPipe(path: string, onData: (chunk: Uint8Array) => void): OutputPipe {
  // The reader first and without blocking: a writer waits for a reader to be there.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const childDescriptor = openSync(path, constants.O_WRONLY);
  const socket = new Socket({
    fd,
    readable: true,
    writable: false,
    onread: {
      buffer: Buffer.allocUnsafeSlow(READ_BYTES),
      callback(length, buffer) {
        onData(buffer.subarray(0, length));
        return true;
      },
    },
  });
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.resume();
  return { childDescriptor, closed, destroy: () => void socket.destroy() };
}

export function closeChildEnds(pipes: readonly OutputPipe[]): void {
  for (const pipe of pipes) closeSync(pipe.childDescriptor);
}
