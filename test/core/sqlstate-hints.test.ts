import { expect, test } from '@jest/globals';
import { ArchiverError, describeError } from '../../core/errors.ts';

// Seen to fail on a9b8896, which blamed a privilege for each of them.
test.each([
  ['42501', /^A privilege is missing/],
  ['42P01', /^A definition does not fit/],
  ['42883', /alter function … set search_path/],
  ['0A000', /^PostgreSQL does not support this/],
  ['22007', /^A value does not fit/],
  ['22P02', /^A value does not fit/],
  ['23503', /^A constraint is violated/],
  ['55000', /^An object is not in the state/],
  ['P0001', /^A function raised this error/],
  ['XX000', /^The server met an internal error/],
  ['99999', /^Look at the message and at the SQLSTATE/],
])('the hint of an error that the server raised follows its SQLSTATE %s', (sqlstate, hint) => {
  const message = `maintenance: no good (SQLSTATE 42501) (SQLSTATE ${sqlstate})`;
  expect(new ArchiverError('DatabaseRejected', message).hint).toMatch(hint);
  expect(describeError('DatabaseRejected', message).hint).toMatch(hint);
  expect(new ArchiverError('PartitionRefused', message).hint).toMatch(/^Change what the reason names/);
});

test.each([
  ['53200', /max_locks_per_transaction/],
  ['53300', /max_connections/],
  ['53400', /run out of a resource/],
  ['25006', /read-only/],
  ['28P01', /login is refused/],
  ['08006', /^Check that the database and the proxy are up/],
])('and so does that of a server that is not available, %s', (sqlstate, hint) => {
  expect(new ArchiverError('DatabaseUnavailable', `x (SQLSTATE ${sqlstate})`).hint).toMatch(hint);
});
