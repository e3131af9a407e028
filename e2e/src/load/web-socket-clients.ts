/** WebSocket visitors who ask again and again, and notice when nobody answers any more. */
export interface WebSocketVisitor {
  /** Who greeted it: what the release sends first. */
  readonly greeting: string;
  readonly answered: number;
  /** How it ended; null while it is open. `1006` is a line that broke without a word. */
  readonly closedWith: number | null;
  /** Resolves with the code once it has ended. */
  readonly closed: Promise<number>;
  close(): void;
}

const EVERY_MS = 100;
/** The line may be open and nobody behind it. */
const SILENT_AFTER_MS = 5_000;
const GREETED_WITHIN_MS = 10_000;
/** The code of a visitor that waited in vain; above those that a line can end with. */
export const SILENT = 4000;

/** Resolves once the release has greeted. */
export function connectVisitor(url: string): Promise<WebSocketVisitor> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url.replace(/^http/, 'ws'));
    let greeting: string | null = null;
    let answered = 0;
    let askedAtMs: number | null = null;
    let closedWith: number | null = null;
    let tellClosed: (code: number) => void = () => undefined;
    const closed = new Promise<number>((tell) => {
      tellClosed = tell;
    });
    const openedMs = performance.now();
    const timer = setInterval(() => {
      if (greeting === null) {
        if (performance.now() - openedMs > GREETED_WITHIN_MS) end(SILENT);
        return;
      }
      if (askedAtMs === null) {
        askedAtMs = performance.now();
        socket.send('ping');
      } else if (performance.now() - askedAtMs > SILENT_AFTER_MS) {
        end(SILENT);
        socket.close();
      }
    }, EVERY_MS);
    function end(code: number): void {
      if (closedWith !== null) return;
      closedWith = code;
      clearInterval(timer);
      tellClosed(code);
      if (greeting !== null) return;
      socket.close();
      reject(new Error(`the WebSocket was closed with ${code} before a greeting`));
    }
    socket.addEventListener('close', ({ code }) => end(code));
    socket.addEventListener('error', () => undefined);
    socket.addEventListener('message', ({ data }) => {
      if (greeting !== null) {
        answered += 1;
        askedAtMs = null;
        return;
      }
      greeting = String(data);
      resolve({
        greeting,
        get answered() {
          return answered;
        },
        get closedWith() {
          return closedWith;
        },
        closed,
        close: () => socket.close(),
      });
    });
  });
}
