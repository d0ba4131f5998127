import { expect, test } from '@jest/globals';
import { ArchiverError } from '../../../core/errors.ts';
import { heartbeat, type HeartbeatDatabase } from '../../../core/heartbeat/heartbeat.ts';
import { fakeLog, makeConfig, NOW } from '../../support/fakes.ts';

const YESTERDAY = new Date(NOW.getTime() - 86_400_000).toISOString();

async function beat(daysSinceSuccess: HeartbeatDatabase['daysSinceSuccess']) {
  const published: unknown[] = [];
  const progress: HeartbeatDatabase['progress'] = ({ table }) =>
    Promise.reject(new ArchiverError('LockNotAvailable', `${table} is locked`));
  const log = fakeLog();
  const metrics = {
    deployment: (days: number) => void published.push(['deployment', days]),
    partitioning: (days: number) => void published.push(['partitioning', days]),
    lastSuccess: (...age: unknown[]) => void published.push(age),
    partitionSet: (set: string) => void published.push(set),
  };
  const input = { deployedAt: YESTERDAY };
  const daysInPartitioning = () => Promise.resolve(9);
  const ports = { database: { daysSinceSuccess, daysInPartitioning, progress }, metrics, log };
  const end = heartbeat(input, makeConfig(), ports, NOW).catch((error: unknown) => error);
  return { end: await end, published, log };
}

test('what never was is not published, and a set that cannot be measured spoils nothing', async () => {
  const days = { run: 0.5, drill: null, audit: 3 };
  const { end, published, log } = await beat(() => Promise.resolve(days));
  expect(end).toEqual({ daysSinceDeployment: 1, prepared: true, daysSinceSuccess: days });
  expect(published).toEqual([
    ['deployment', 1],
    ['run', 0.5],
    ['audit', 3],
    ['partitioning', 9],
  ]);
  expect(log.lines.map(({ level, event }) => `${level} ${event}`)).toEqual([
    'info heartbeat',
    'warn progress',
    'warn progress',
  ]);
});

// Seen to fail without the look at the code: Heartbeat failed every day until the database was prepared.
test('a database that is not prepared is no failure', async () => {
  const { end, published } = await beat(() => Promise.reject(new ArchiverError('NotPrepared', 'no schema')));
  expect(end).toEqual({ daysSinceDeployment: 1, prepared: false });
  expect(published).toEqual([['deployment', 1]]);
});

// Seen to fail with the age of the deployment published after the database was asked.
test('the age of the deployment is known where the database cannot be asked', async () => {
  const lost = new ArchiverError('DatabaseUnavailable', 'no connection');
  const { end, published } = await beat(() => Promise.reject(lost));
  expect(end).toBe(lost);
  expect(published).toEqual([['deployment', 1]]);
});
