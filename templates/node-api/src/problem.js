import { STATUS_CODES } from 'node:http';

/** What is wrong with a request, answered as `application/problem+json` (RFC 9457). */
export class Problem extends Error {
  constructor(status, detail, more = {}) {
    super(detail);
    this.status = status;
    this.more = more;
  }

  toBody() {
    return {
      type: 'about:blank',
      title: STATUS_CODES[this.status],
      status: this.status,
      detail: this.message,
      ...this.more.body,
    };
  }
}
