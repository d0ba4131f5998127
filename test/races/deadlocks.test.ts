import { expect, test } from '@jest/globals';
import { isOurs, parseDeadlocks } from './deadlocks.ts';

/** As PostgreSQL 15 wrote it, of a run with another lock_timeout. */
const LOG = `2026-11-23 16:09:20.100 UTC [7715] [unknown]@[unknown] LOG:  connection received: host=127.0.0.1 port=1
2026-11-23 16:09:20.101 UTC [7715] postgres@race_17 LOG:  connection authorized: user=postgres database=race_17
2026-11-23 16:09:20.102 UTC [7719] archiver_maintain@race_17 LOG:  connection authorized: user=archiver_maintain database=race_17
2026-11-23 16:09:21.466 UTC [7715] postgres@race_17 ERROR:  deadlock detected
2026-11-23 16:09:21.466 UTC [7715] postgres@race_17 DETAIL:  Process 7715 waits for RowExclusiveLock on relation 17051 of database 17821; blocked by process 7719.
\tProcess 7719 waits for ShareRowExclusiveLock on relation 17043 of database 17821; blocked by process 7715.
\tProcess 7715: update app.customer set id = id + 1
\tProcess 7719: 
\t    select "partman".run_maintenance(p_analyze => false)
2026-11-23 16:09:21.466 UTC [7715] postgres@race_17 HINT:  See server log for query details.
`;

test('the log tells who was in a deadlock besides the one that was ended', () => {
  const [found, ...others] = parseDeadlocks(LOG);
  expect(others).toEqual([]);
  expect(found).toMatchObject({
    database: 'race_17',
    victim: 'postgres',
    roles: ['postgres', 'archiver_maintain'],
    statements: expect.stringMatching(/^update app.customer [^]*run_maintenance/),
  });
  expect(isOurs(found!)).toBe(true);
});

test('one among applications is not the archiver’s; one with somebody whom the log does not know may be', () => {
  const among = (log: string): boolean => isOurs(parseDeadlocks(log)[0]!);
  expect(among(LOG.replaceAll('archiver_maintain', 'app_owner'))).toBe(false);
  expect(among(LOG.replace(/^.*archiver_maintain@.*\n/m, ''))).toBe(true);
});
