import { describe, expect, test } from '@jest/globals';
import {
  upgradeLedger,
  parseUpgradeLedgerRequest,
  type UpgradedRow,
  type IdentityMismatch,
} from '../../../core/ledger/upgrade.ts';
import { ArchiverError } from '../../../core/errors.ts';
import { fakeClock, fakeLog } from '../../support/fakes.ts';

const FROM = '7301234567890123456';
const OTHER: IdentityMismatch = { from: '42', database: 'shop' };

const ports = (rows: readonly UpgradedRow[], identityMismatches: readonly IdentityMismatch[] = []) => ({
  database: {
    upgradeLedger: () => Promise.resolve(rows),
    identityMismatches: () => Promise.resolve(identityMismatches),
  },
  clock: fakeClock(),
  log: fakeLog(),
});
const row = (id: number, was: UpgradedRow['was'], state = was): UpgradedRow => ({
  id,
  schema: 'shop',
  table: `orders_${String(id)}`,
  was,
  state,
  remark: 'as it was',
});

describe('the input', () => {
  test.each([FROM, '-42', '0'])('%s is a system identifier', (from) => {
    expect(parseUpgradeLedgerRequest({ from })).toEqual({ from, database: null, forget: false });
  });

  // A number of JSON has 53 bits, and would name another system.
  test.each([7301234567890123456n.toString() + '0', 'old', '', '1.5', 7301234567890123000, undefined])(
    '%p is none',
    (from) => {
      expect(() => parseUpgradeLedgerRequest({ from })).toThrow(
        /^from: .*in quotes, such as "7301234567890123456"$/,
      );
    },
  );

  test('says what the database was called and whether the rows are to be forgotten, and nothing else', () => {
    expect(parseUpgradeLedgerRequest({ from: FROM, database: 'Shop', forget: true })).toEqual({
      from: FROM,
      database: 'Shop',
      forget: true,
    });
    expect(() => parseUpgradeLedgerRequest({ from: FROM, database: '' })).toThrow(
      /^database: .*must not be empty$/,
    );
    expect(() => parseUpgradeLedgerRequest({ from: FROM, force: true })).toThrow(ArchiverError);
  });
});

describe('the answer', () => {
  test('says what became of each row, and what is to be done next', async () => {
    const rows = [row(1, 'restored'), row(2, 'verified', 'blocked'), row(3, 'restored')];
    expect(await upgradeLedger({ from: FROM, database: null, forget: false }, ports(rows, [OTHER]))).toEqual({
      summary: `3 rows of the system ${FROM} upgraded: 2 restored, 1 blocked`,
      partitions: [
        { id: 1, partition: 'shop.orders_1', was: 'restored', state: 'restored', remark: 'as it was' },
        { id: 2, partition: 'shop.orders_2', was: 'verified', state: 'blocked', remark: 'as it was' },
        { id: 3, partition: 'shop.orders_3', was: 'restored', state: 'restored', remark: 'as it was' },
      ],
      notShown: 0,
      nextStep:
        'Start UpgradeLedger with {"from":"42","database":"shop"}. Start Reverify with {"all": "verified"}. Look at what the next run would do: start Archive with {"dryRun": true}.',
    });
  });

  test('has room for as many as a state machine carries', async () => {
    const rows = Array.from({ length: 5000 }, (_, id) => row(id, 'attached'));
    const { partitions, notShown } = await upgradeLedger(
      { from: FROM, database: null, forget: true },
      ports(rows),
    );
    expect(partitions.length + notShown).toBe(5000);
    expect(JSON.stringify(partitions).length).toBeLessThan(70_000);
  });

  test('is that there is nothing to do where all is upgraded, and an error where another system is meant', async () => {
    expect(await upgradeLedger({ from: FROM, database: null, forget: false }, ports([]))).toMatchObject({
      summary: `there are no rows of the system ${FROM} to upgrade`,
      partitions: [],
    });
    await expect(
      upgradeLedger({ from: FROM, database: null, forget: false }, ports([], [OTHER])),
    ).rejects.toThrow('it has some of database shop of the system 42');
  });
});
