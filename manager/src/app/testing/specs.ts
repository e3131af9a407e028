/** A commit's files that can be served. */
export const SITE = { 'index.html': 'hello', 'dbox.yaml': 'static: .\n' };

/** A scripted task with one test and one address; `more` is appended, so it may go on with `acceptance`. */
export function specOf(id: string, more = ''): string {
  return `id: ${id}\ntitle: Task ${id}\ninputs:\n  - type: scripted\n    attempts:\n      - a1\n      - a2\n      - a3\ntests:\n  - run: npm test\nacceptance:\n  - url: /\n${more}`;
}
