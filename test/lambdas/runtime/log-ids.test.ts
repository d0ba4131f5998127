import { describe, expect, test } from '@jest/globals';
import { idsOf, logWith } from '../../../lambdas/runtime/log.ts';

describe('a line of the log says what it is about', () => {
  test.each([
    [
      { partitionId: 7, segmentNumber: 2, execution: 'run' },
      { execution: 'run', partitionId: 7, segmentNumber: 2 },
    ],
    [
      { partitionId: 7, request: { execution: 'run', mode: 'archive' } },
      { execution: 'run', partitionId: 7 },
    ],
    [{ input: {}, execution: 'run' }, { execution: 'run' }],
    [{ request: {} }, {}],
    [null, {}],
  ])('%j', (event, ids) => {
    expect(idsOf(event)).toEqual(ids);
  });

  test('beside what the step says itself, which goes before', () => {
    const lines: unknown[] = [];
    const write = (event: string, fields?: object): void => void lines.push({ event, ...fields });
    const log = logWith({ info: write, warn: write }, { partitionId: 7, execution: 'run' });
    log.info('export', { rows: 3 });
    log.warn('failed', { partitionId: 8 });
    expect(lines).toEqual([
      { event: 'export', partitionId: 7, execution: 'run', rows: 3 },
      { event: 'failed', partitionId: 8, execution: 'run' },
    ]);
  });
});
