import { expect, test } from '@jest/globals';
import type { CloudTemplate } from '../rules/rule.ts';
import { resources, synthesise } from '../synthesise.ts';
import { AlarmStates } from './alarm-states.ts';

const SETS = [{ schema: 'public', table: 'orders', query: true }];
const HOUR = 3_600_000;

// Seen to fail without the alarm, and with the threshold of a daily schedule.
test.each([
  [{}, 16],
  [{ schedule: { convert: 'cron(0 6 ? * MON *)' } }, 22],
])('with %j, an archive that has been without a copy for %i days pages, and not sooner', (settings, days) => {
  const alarms = new AlarmStates(synthesise({ partitionSets: SETS, ...settings }).toJSON() as CloudTemplate);
  const at = 1000 * 24 * HOUR;
  const raised = (value: number, now: number): boolean =>
    alarms.evaluate([{ name: 'DaysWithoutCopy', at: now - HOUR, value }], now).includes('CopiesLate');
  expect([days - 1, days, 0].map((value, day) => raised(value, at + day * 24 * HOUR))).toEqual([
    false,
    true,
    false,
  ]);
});

test('without a set that has "query", nothing looks for copies', () => {
  const alarms = resources(synthesise({}), 'AWS::CloudWatch::Alarm').map(([id]) => id);
  expect(alarms.filter((id) => /CopiesLate|ConvertFailed/.test(id))).toEqual([]);
});
