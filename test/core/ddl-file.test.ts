import { expect, test } from '@jest/globals';
import { ddlFile } from '../../core/ddl-file.ts';

test('the statements as psql takes them, for the original name', () => {
  const of = { archiveId: 'id', schema: 'app', name: 'event_p1' };
  expect(ddlFile(of, ['CREATE TABLE app.event_p1 ()', 'ALTER TABLE app.event_p1 …'])).toBe(
    [
      '-- app.event_p1',
      '-- archive id',
      'set search_path = pg_catalog;',
      'set check_function_bodies = off;',
      'CREATE TABLE app.event_p1 ();',
      'ALTER TABLE app.event_p1 …;',
      '',
    ].join('\n'),
  );
});

// Seen to fail without: the carriage return in the pattern. PostgreSQL ends a comment at either sign.
test.each(['\n', '\r', '\r\n', '\n\n'])(
  'a name with %j does not end the comment that it stands in',
  (end) => {
    const hostile = `x${end}drop schema app cascade; --`;
    const lines = ddlFile({ archiveId: 'id', schema: hostile, name: hostile }, []).split(/[\r\n]/);
    expect(lines.filter((line) => line.includes('drop schema')).every((line) => line.startsWith('--'))).toBe(
      true,
    );
  },
);
