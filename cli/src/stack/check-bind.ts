import type { Config } from '../config.ts';
import { CliError } from '../failure.ts';

/** Beyond this machine the box speaks TLS, or a person has said that it need not. Fails closed. */
export function checkBind(
  { bind, publicHost, tls }: Pick<Config, 'bind' | 'publicHost' | 'tls'>,
  insecure: boolean,
): void {
  if (bind === 'localhost' || bind === '::1' || /^127\.\d+\.\d+\.\d+$/.test(bind)) return;
  if (tls === null && !insecure) {
    throw new CliError('usage', `DBOX_BIND is ${bind}, which others can reach, and there is no TLS.`, {
      hint:
        'Give DBOX_TLS_CERT and DBOX_TLS_KEY, or leave DBOX_BIND away and put Caddy in front (deploy/caddy), ' +
        'or say --insecure: then whoever listens on the way reads tokens, stories and sources.',
    });
  }
  if (publicHost === null && (bind === '0.0.0.0' || bind === '::')) {
    throw new CliError('usage', 'By which name or address do others reach this machine?', {
      hint: 'Say it with DBOX_PUBLIC_HOST=box.example.org; the box answers under no other.',
    });
  }
}
