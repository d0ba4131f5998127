import { afterEach, expect, jest, test } from '@jest/globals';
import { consoleLog } from '../../../lambdas/runtime/log.ts';

afterEach(() => {
  jest.restoreAllMocks();
});

test('a line is one object, which Lambda prints as JSON', () => {
  const info = jest.spyOn(console, 'info').mockImplementation(() => undefined);
  const warn = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  consoleLog.info('export', { rows: 3 });
  consoleLog.warn('segment split');
  expect(info.mock.calls).toEqual([[{ event: 'export', rows: 3 }]]);
  expect(warn.mock.calls).toEqual([[{ event: 'segment split' }]]);
});
