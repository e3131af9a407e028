/**
 * The first Ctrl-C aborts the signal, so that the command can say how to go on; after that the
 * default is back and a second one ends the process at once.
 */
export function listenForInterrupt(): { readonly signal: AbortSignal; stop(): void } {
  const controller = new AbortController();
  const interrupt = (): void => {
    process.removeListener('SIGINT', interrupt);
    controller.abort();
  };
  process.on('SIGINT', interrupt);
  return { signal: controller.signal, stop: () => process.removeListener('SIGINT', interrupt) };
}
