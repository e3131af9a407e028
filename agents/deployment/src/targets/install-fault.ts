/** What npm says when the registry or the way there is at fault, not the commit. */
const HOSTS_FAULT =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|ENOSPC|EDQUOT|ENOMEM|E5\d\d|E429|UNABLE_TO_\w+|CERT_\w+|SELF_SIGNED_\w+)\b/;

export function isHostsFault(npmOutput: string): boolean {
  return HOSTS_FAULT.test(npmOutput);
}
