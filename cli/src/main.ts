import { systemClock } from './clock.ts';
import { readConfig } from './config.ts';
import { streamSink } from './output.ts';
import { runCli } from './program/program.ts';

// Whoever reads us may stop early, as `head` does; that is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

process.exitCode = await runCli({
  args: process.argv.slice(2),
  readConfig,
  clock: systemClock,
  stdout: streamSink(process.stdout),
  stderr: streamSink(process.stderr),
});
