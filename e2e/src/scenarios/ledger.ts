import assert from 'node:assert/strict';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { LedgerReport } from '@dbox/contracts';
import type { Box } from '../box.ts';
import { page } from '../recorded-task.ts';
import type { Scenario } from '../scenario.ts';
import { deliver } from '../scenario.ts';

interface Tampering {
  readonly what: string;
  readonly sql: string;
  /** Must be in what `events verify` says. */
  readonly says: RegExp;
}

const TAMPERINGS: readonly Tampering[] = [
  {
    what: 'edited',
    sql: 'update events set data = replace(data, \'"outcome":"passed"\', \'"outcome":"failed"\') where type = \'verdict.given\'',
    says: /was changed or moved/,
  },
  {
    what: 'given another actor',
    sql: "update events set actor = 'somebody' where seq = 3",
    says: /event 3 was changed or moved/,
  },
  { what: 'deleted', sql: 'delete from events where seq = 8', says: /event 8 is missing/ },
  {
    what: 'put in another order',
    sql: 'update events set seq = -9 where seq = 9; update events set seq = 9 where seq = 10; update events set seq = 10 where seq = -9',
    says: /event 9 was changed or moved/,
  },
  {
    what: 'cut off at the end',
    sql: 'delete from events where seq > (select max(seq) from events) - 5',
    says: /was cut|was rewritten/,
  },
  { what: 'deleted altogether', sql: 'delete from events', says: /was cut|was rewritten/ },
  {
    what: 'made unreadable',
    sql: "update events set data = '{' where seq = 7",
    says: /damaged|was changed/,
  },
];

export const tamperedLedger: Scenario = {
  name: 'a ledger that was edited is found',
  async run(box) {
    await box.ok(['up']);
    await deliver(box, 'kept', [
      {
        id: 'kept',
        attempts: [{ ...page('kept'), 'run-tests.sh': '#!/bin/sh\necho 1..1\necho ok 1\n' }],
        tests: ['./run-tests.sh'],
      },
    ]);
    await box.ok(['down']);
    const whole = join(box.directory, 'whole');
    await cp(box.workspace, whole, { recursive: true });
    assert.equal((await verifyAfter(box, whole, 'select 1')).code, 0, 'the copy as it is verifies');
    for (const { what, sql, says } of TAMPERINGS) {
      const { code, report } = await verifyAfter(box, whole, sql);
      assert.equal(code, 1, `an event ${what} is found`);
      assert.equal(report.ok, false);
      assert.match(report.problem!, says, `an event ${what}: ${report.problem}`);
    }
  },
};

/** Tampers with a copy of the workspace while no box runs, and asks the box that then starts on it. */
async function verifyAfter(
  box: Box,
  whole: string,
  sql: string,
): Promise<{ readonly code: number | null; readonly report: LedgerReport }> {
  await rm(box.workspace, { recursive: true });
  await cp(whole, box.workspace, { recursive: true });
  const database = new DatabaseSync(join(box.workspace, 'task.db'));
  database.exec(sql);
  database.close();
  await box.ok(['up']);
  const { code, stdout } = await box.dbox(['events', 'verify', '--json']);
  await box.ok(['down']);
  return { code, report: JSON.parse(stdout) as LedgerReport };
}
