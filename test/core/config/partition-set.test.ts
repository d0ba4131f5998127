import { describe, expect, test } from '@jest/globals';
import { describeProblem } from '../../../core/config/problems.ts';
import { partitionSetsSchema, proofOf } from '../../../core/config/partition-set.ts';
import { parseRuntimeConfig } from '../../../core/config/runtime.ts';

const SET = { schema: 'public', table: 'orders' };

function problemsWith(changes: object): string[] {
  const parsed = parseRuntimeConfig({ partitionSets: [{ ...SET, ...changes }] });
  return parsed.ok ? [] : parsed.problems.map(describeProblem);
}

describe('a partition set', () => {
  test.each(['Orders', 'order items', 'a"b', 'ünïcode', "o'clock", 'a.b', '$1', 'x'.repeat(63)])(
    'may be called %s',
    (table) => {
      expect(problemsWith({ table })).toEqual([]);
    },
  );

  test.each([
    ['', 'must not be empty'],
    ['x'.repeat(64), 'must be at most 63 bytes long'],
    // 62 characters, 64 bytes: PostgreSQL would cut it off and find another table.
    [`üü${'x'.repeat(60)}`, 'must be at most 63 bytes long'],
    ['a\0b', 'must not contain a zero byte'],
    [7, 'must be a text'],
  ])('may not be called %j', (table, rule) => {
    expect(problemsWith({ table })).toEqual([
      `partitionSets[0].table: ${JSON.stringify(table)} is not allowed: ${rule}`,
    ]);
  });

  test.each(['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires'])(
    'may have time zone %s',
    (timeZone) => {
      expect(problemsWith({ timeZone })).toEqual([]);
    },
  );

  test.each(['+02:00', 'Mars/Olympus', '', 'CEST5'])('may not have time zone %j', (timeZone) => {
    expect(problemsWith({ timeZone })).toHaveLength(1);
  });

  test.each([
    ['graceDays', 1.5],
    ['graceDays', '7'],
    ['graceDays', 3651],
    ['segmentSizeMiB', 0],
    ['segmentSizeMiB', 4096],
    ['drop', 'yes'],
    ['retention', '12 months'],
  ])('may not have %s %j', (setting, value) => {
    expect(problemsWith({ [setting]: value })).toEqual([
      expect.stringContaining(`partitionSets[0].${setting}: ${JSON.stringify(value)} is not allowed`),
    ]);
  });

  test('is not dropped unless the configuration asks for it', () => {
    expect(parseRuntimeConfig({ partitionSets: [SET] })).toMatchObject({
      config: { partitionSets: [{ drop: false }] },
    });
  });
});

test('partition sets with the same text in other places are not the same', () => {
  const partitionSets = [
    { schema: 'a', table: 'b.c' },
    { schema: 'a.b', table: 'c' },
  ];
  expect(parseRuntimeConfig({ partitionSets }).ok).toBe(true);
});

test('there must be a partition set', () => {
  expect(parseRuntimeConfig({ partitionSets: [] })).toMatchObject({ problems: [{ path: 'partitionSets' }] });
  expect(parseRuntimeConfig({})).toMatchObject({ problems: [{ path: 'partitionSets', value: undefined }] });
});

test('long values are cut off in messages', () => {
  const [line] = problemsWith({ table: 'x'.repeat(200) });
  expect(line?.length).toBeLessThan(170);
});

// Seen to be accepted without the look at proof.
test('one reading is the default of a stream, and refused where the server exports', () => {
  const set = { schema: 'app', table: 'event' };
  const parse = (...more: object[]) =>
    partitionSetsSchema.safeParse(more.map((each) => ({ ...set, ...each })));
  expect(proofOf({ export: 'stream', proof: undefined })).toBe('one-reading');
  expect(proofOf({ export: 'stream', proof: 'two-readings' })).toBe('two-readings');
  expect(proofOf({ export: 'aws_s3', proof: undefined })).toBe('two-readings');
  expect(parse({ export: 'stream', proof: 'one-reading' }).success).toBe(true);
  expect(parse({ proof: 'two-readings' }).success).toBe(true);
  expect(parse({ proof: 'one-reading' }).error?.issues).toMatchObject([
    { path: [0, 'proof'], message: expect.stringContaining('must be two-readings with "export": "aws_s3"') },
  ]);
});

// Seen to be accepted without the look at compression.
test('what the server exports is not compressed', () => {
  expect(problemsWith({ export: 'stream', compression: 'zstd' })).toEqual([]);
  expect(problemsWith({ compression: 'none' })).toEqual([]);
  expect(problemsWith({ compression: 'gzip' })).toEqual([
    expect.stringContaining('must be none with "export": "aws_s3"'),
  ]);
});
