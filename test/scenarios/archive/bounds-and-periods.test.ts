/** What the text of a bound means, and the period that the keys of an archive carry (hazards 10, 53); asked directly. */
import { expect, test } from '@jest/globals';
import { useDatabase } from '../../support/database.ts';

const database = useDatabase({ template: 'archiver' });

test.each([
  ['1609459200', 'bigint', 'seconds', 'UTC', '2021-01-01T00:00:00.000Z'],
  ['1609459200123', 'bigint', 'milliseconds', 'UTC', '2021-01-01T00:00:00.123Z'],
  ['1609459200123000', 'bigint', 'microseconds', 'UTC', '2021-01-01T00:00:00.123Z'],
  ['1609459200123000000', 'bigint', 'nanoseconds', 'UTC', '2021-01-01T00:00:00.123Z'],
  // It carries its own offset, which is always that of UTC here.
  ['2021-01-01 00:00:00+00', 'timestamptz', 'none', 'Europe/Berlin', '2021-01-01T00:00:00.000Z'],
  ['2021-01-01 00:00:00', 'timestamp', 'none', 'Europe/Berlin', '2020-12-31T23:00:00.000Z'],
  ['2021-01-01', 'date', 'none', 'Europe/Berlin', '2020-12-31T23:00:00.000Z'],
  // A number that counts no time has none.
  ['1000', 'bigint', 'none', 'UTC', undefined],
])('%s of a %s, epoch %s, in %s', async (bound, type, epoch, zone, time) => {
  const [row] = await database().sql<[{ time: Date | null }]>`
    select partition_archiver.bound_time(${bound}, ${type}::regtype, ${epoch}, ${zone}) as time`;
  expect(row.time?.toISOString()).toBe(time);
});

test.each([
  // A year, or years; a month; months; days; less than a day.
  ['2021-01-01', '2022-01-01', 'UTC', '2021'],
  ['2021-01-01', '2031-01-01', 'UTC', '2021'],
  ['2021-01-01', '2021-02-01', 'UTC', '202101'],
  ['2021-04-01', '2021-07-01', 'UTC', '202104'],
  ['2021-04-01', '2021-04-02', 'UTC', '20210401'],
  ['2021-04-05', '2021-04-12', 'UTC', '20210405'],
  ['2021-04-05', '2021-04-05 06:00', 'UTC', '20210405T000000'],
  // As long as a year, a month or a day, but not one.
  ['2021-04-01', '2022-04-01', 'UTC', '202104'],
  ['2021-04-05', '2021-05-05', 'UTC', '20210405'],
  ['2021-04-05 06:00', '2021-04-06 06:00', 'UTC', '20210405T060000'],
  // Months are those of the zone that the set is maintained in.
  ['2020-12-31 23:00', '2021-01-31 23:00', 'Europe/Berlin', '202101'],
  ['2020-12-31 23:00', '2021-01-31 23:00', 'UTC', '20201231T230000'],
])('the period from %s to %s in %s is %s', async (lower, upper, zone, period) => {
  const [row] = await database().sql<[{ period: string }]>`
    select partition_archiver.period(${`${lower}+00`}::text::timestamptz, ${`${upper}+00`}::text::timestamptz, 'bound', ${zone}) as period`;
  expect(row.period).toBe(period);
});

test('where bounds are no times the period is the lower one as it is', async () => {
  const [row] = await database().sql<[{ period: string }]>`
    select partition_archiver.period(null, null, '3000', 'UTC') as period`;
  expect(row.period).toBe('3000');
  const [endless] = await database().sql<[{ period: string }]>`
    select partition_archiver.period('-infinity', '2000-01-01', '-infinity', 'UTC') as period`;
  expect(endless.period).toBe('-infinity');
});

// Seen to fail without BC in period(): both had one period, and so one prefix in the bucket.
test('a period before Christ is not that of the same year after', async () => {
  const [row] = await database().sql`
    select partition_archiver.period('0044-03-01 00:00:00+00 BC', '0044-04-01 00:00:00+00 BC', 'bound', 'UTC') as before,
           partition_archiver.period('0044-03-01 00:00:00+00', '0044-04-01 00:00:00+00', 'bound', 'UTC') as after`;
  expect(row).toEqual({ before: '004403BC', after: '004403' });
});

// Seen to fail (22P02) where bound_times() does not catch data_exception.
test.each([
  ['of a set that counts seconds now', '2021-01-01', '2021-02-01', 'seconds'],
  ['of another epoch', '1609459200', '1612137600', 'milliseconds'],
])('bounds %s have no times', async (_, lower, upper, epoch) => {
  const [times] = await database().sql`
    select lower_time as lower, upper_time as upper
      from partition_archiver.bound_times(${lower}, ${upper}, 'bigint', ${epoch}, 'UTC', '202101')`;
  expect(times).toEqual({ lower: null, upper: null });
});
