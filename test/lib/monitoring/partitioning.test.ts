import { expect, test } from '@jest/globals';
import type { CloudTemplate } from '../rules/rule.ts';
import { synthesise } from '../synthesise.ts';
import { AlarmStates } from './alarm-states.ts';

const HOUR = 3_600_000;

// Seen to fail without the alarm.
test('a conversion of a plain table that is unfinished for a week pages, until it is swapped or rolled back', () => {
  const alarms = new AlarmStates(synthesise({}).toJSON() as CloudTemplate);
  const at = 1000 * 24 * HOUR;
  const raised = [6.9, 7, 0].map((value, day) => {
    const now = at + day * 24 * HOUR;
    return alarms
      .evaluate([{ name: 'DaysInPartitioning', at: now - HOUR, value }], now)
      .includes('PartitioningUnfinished');
  });
  expect(raised).toEqual([false, true, false]);
});
