import { describe, expect, test } from '@jest/globals';
import { idsOf, logWith } from '../../../lambdas/runtime/log.ts';

describe('a line of the log says what it is about', () => {
  test.each([
    [
      { partition: 7, segment: 2, execution: 'run' },
      { execution: 'run', partition: 7, segment: 2 },
    ],
    [
      { partition: 7, request: { execution: 'run', mode: 'archive' } },
      { execution: 'run', partition: 7 },
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
    const log = logWith({ info: write, warn: write }, { partition: 7, execution: 'run' });
    log.info('export', { rows: 3 });
    log.warn('failed', { partition: 8 });
    expect(lines).toEqual([
      { event: 'export', partition: 7, execution: 'run', rows: 3 },
      { event: 'failed', partition: 8, execution: 'run' },
    ]);
  });
});
