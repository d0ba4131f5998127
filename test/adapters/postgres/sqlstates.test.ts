import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { codeForSqlstate, messageMayQuoteValues, SQLSTATE } from '../../../adapters/postgres/sqlstates.ts';
import { CATALOGUE, type ErrorCode } from '../../../core/errors.ts';

const folder = new URL('../../../db/', import.meta.url);
const raised = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.sql'))
  .flatMap((file) => [...readFileSync(new URL(file, folder), 'utf8').matchAll(/'(PA\d{3})'/g)])
  .map(([, sqlstate = '']) => sqlstate)
  // It only undoes what a function tried, and is caught where it is raised.
  .filter((sqlstate) => sqlstate !== 'PA000');

test.each([...new Set(raised)].sort())('%s, which db/*.sql raises, has a code of its own', (sqlstate) => {
  expect(codeForSqlstate(sqlstate)).not.toBe('DatabaseRejected');
});

test.each<[string, ErrorCode]>([
  [SQLSTATE.lockNotAvailable, 'LockNotAvailable'],
  [SQLSTATE.deadlockDetected, 'TransactionAborted'],
  [SQLSTATE.serializationFailure, 'TransactionAborted'],
  [SQLSTATE.queryCanceled, 'Interrupted'],
  [SQLSTATE.idleInTransactionSessionTimeout, 'Interrupted'],
  [SQLSTATE.transactionTimeout, 'Interrupted'],
  [SQLSTATE.readOnlyTransaction, 'DatabaseUnavailable'],
  ['53300', 'DatabaseUnavailable'],
  // The server shuts down, crashed, or starts.
  ['57P01', 'DatabaseUnavailable'],
  ['57P02', 'DatabaseUnavailable'],
  ['57P03', 'DatabaseUnavailable'],
  // Seen to fail with the three before alone: idle_session_timeout ended the session.
  ['57P05', 'DatabaseUnavailable'],
  [SQLSTATE.externalRoutineException, 'ExportFailed'],
  [SQLSTATE.systemError, 'ExportFailed'],
  ['08006', 'DatabaseUnavailable'],
  ['08P01', 'DatabaseUnavailable'],
  // A rotated secret is refused once.
  ['28P01', 'DatabaseUnavailable'],
  ['28000', 'DatabaseUnavailable'],
  // The server's memory or disk is short: it may pass.
  ['53200', 'DatabaseUnavailable'],
  [SQLSTATE.diskFull, 'StorageFull'],
])('%s may pass by itself and is tried again, as %s', (sqlstate, code) => {
  expect(codeForSqlstate(sqlstate)).toBe(code);
  expect(CATALOGUE[code].retryable).toBe(true);
});

test.each<[string, ErrorCode]>([
  ['42501', 'DatabaseRejected'],
  ['42P01', 'DatabaseRejected'],
  ['42883', 'DatabaseRejected'],
  ['XX000', 'DatabaseRejected'],
  ['XX001', 'DatabaseRejected'],
  ['P0001', 'DatabaseRejected'],
  ['PA999', 'DatabaseRejected'],
  ['', 'DatabaseRejected'],
  [SQLSTATE.invalidCatalogName, 'InvalidConfiguration'],
  [SQLSTATE.programLimitExceeded, 'RowTooLarge'],
  [SQLSTATE.dependentObjectsStillExist, 'HasDependents'],
])('%s does not pass by itself: %s', (sqlstate, code) => {
  expect(codeForSqlstate(sqlstate)).toBe(code);
  expect(CATALOGUE[code].retryable).toBe(false);
});

test('messages of data exceptions and of violated constraints quote values; others do not', () => {
  for (const sqlstate of ['22P02', '22003', '22012', '23505', '23514']) {
    expect(messageMayQuoteValues(sqlstate)).toBe(true);
  }
  for (const sqlstate of ['42P01', '55P03', 'PA001', '2BP01', '12345', 'X2300']) {
    expect(messageMayQuoteValues(sqlstate)).toBe(false);
  }
});
