/** What operators write into the input of the setup workflows: every mistake at once, and no SQL gets anywhere. */
import { expect, test } from '@jest/globals';
import { parseAdoptRequest } from '../../../core/ledger/adopt-request.ts';
import { parseRuntimeConfig } from '../../../core/config/runtime.ts';
import { ArchiverError } from '../../../core/errors.ts';
import { parseInspectRequest } from '../../../core/setup/inspect-request.ts';
import { completePlan, parsePartitionTableRequest } from '../../../core/partition-table/request.ts';
import { parsePrepareRequest } from '../../../core/setup/prepare-request.ts';

const parsed = parseRuntimeConfig({ partitionSets: [{ schema: 'shop', table: 'Orders' }] });
if (!parsed.ok) throw new Error('the configuration of this test is wrong');
const { config } = parsed;

const PARSERS = {
  prepare: parsePrepareRequest,
  inspect: parseInspectRequest,
  partition: (input: unknown) => {
    const request = parsePartitionTableRequest(input);
    return request.kind === 'partition' ? completePlan(request.plan) : request;
  },
  adopt: (input: unknown) => parseAdoptRequest(input, config),
};

test.each<[keyof typeof PARSERS, unknown, string[]]>([
  [
    'prepare',
    { guard: 'no', drop: true },
    ['guard: "no"', 'drop: true is not allowed: there is no such setting'],
  ],
  ['prepare', 'everything', ['the input: "everything"']],
  ['inspect', {}, ['table: is missing']],
  [
    'inspect',
    { table: 7, timeZone: 'Mars/Phobos', exact: 1 },
    ['table: 7', 'timeZone: "Mars/Phobos"', 'exact: 1'],
  ],
  ['inspect', { table: 'orders' }, ['"orders" is no name of the form schema.table']],
  ['inspect', { table: 'shop.orders; drop table x.y' }, ['no name of the form']],
  [
    'partition',
    {
      table: 'shop.sales',
      control: '',
      interval: 'monthly',
      retention: '1 year; drop',
      premake: 0,
      mode: 'fast',
    },
    ['control: ""', 'interval: "monthly"', 'retention: "1 year; drop"', 'premake: 0', 'mode: "fast"'],
  ],
  [
    'partition',
    {
      table: 'shop.sales',
      start: "2021-01-01'); drop",
      keys: 'bend',
      epoch: 'days',
      upTo: 'end',
      dropReplaced: false,
    },
    ['start: "2021', 'keys: "bend"', 'epoch: "days"', 'upTo: "end"', 'dropReplaced: false'],
  ],
  [
    'partition',
    { table: 'shop.sales' },
    ['control: is missing', 'interval: is missing', 'retention: is missing'],
  ],
  [
    'partition',
    { table: 'shop.sales', rollBack: true, dropReplaced: true, keys: 'drop' },
    ['keys: "drop" is not allowed: must be left out where rollBack is there'],
  ],
  ['adopt', { table: 0, partitionSet: 5, lower: '' }, ['table: 0', 'partitionSet: 5', 'lower: ""']],
  ['adopt', { table: 4_294_967_296, partitionSet: 'shop."Orders"' }, ['table: 4294967296']],
  ['adopt', { table: 7, partitionSet: 'shop.orders' }, ['is not configured; configured are shop."Orders"']],
  [
    'adopt',
    { table: 7, partitionSet: 'shop."Orders"', lower: '2021-01-01' },
    ['upper: ', 'name both bounds or none'],
  ],
])('%s refuses %j', (verb, input, parts) => {
  let failure: unknown;
  try {
    PARSERS[verb](input);
  } catch (error) {
    failure = error;
  }
  expect(failure).toBeInstanceOf(ArchiverError);
  expect(failure).toMatchObject({ code: 'InvalidInput' });
  for (const part of parts) expect((failure as Error).message).toContain(part);
});

test('what is left out has its default', () => {
  expect(parsePrepareRequest({})).toEqual({ guard: true, print: false });
  expect(parseInspectRequest({ table: 'Shop."Orders"' })).toEqual({
    schema: 'shop',
    table: 'Orders',
    exact: false,
    timeZone: 'UTC',
  });
  const said = { table: 'shop.sales', control: 'at', interval: '1 month', retention: 'none' };
  expect(PARSERS.partition(said)).toEqual({
    schema: 'shop',
    table: 'sales',
    control: 'at',
    interval: '1 month',
    retention: null,
    premake: 4,
    mode: 'online',
    defaultPartition: true,
    epoch: 'none',
    timeZone: 'UTC',
  });
  expect(parsePartitionTableRequest({ table: 'shop.sales', upTo: 'swap' })).toMatchObject({
    kind: 'partition',
    upTo: 'swap',
    plan: { schema: 'shop', table: 'sales' },
  });
  expect(parseAdoptRequest({ table: 7, partitionSet: 'shop."Orders"' }, config)).toMatchObject({
    table: 7,
    partitionSet: { schema: 'shop', table: 'Orders' },
    bounds: undefined,
  });
});
