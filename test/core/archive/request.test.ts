import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ArchiverError } from '../../../core/errors.ts';
import { parseRequest } from '../../../core/archive/request.ts';
import { makeConfig, NOW } from '../../support/fakes.ts';

const config = makeConfig();
const parse = (input: unknown) => parseRequest(input, config, NOW);

/** What a refused input is told. */
function refusal(input: unknown, configured = config): string {
  try {
    parseRequest(input, configured, NOW);
  } catch (error) {
    if (!(error instanceof ArchiverError)) throw error;
    expect(error.code).toBe('InvalidInput');
    return error.message;
  }
  throw new Error('it was accepted');
}

describe('an input may only narrow what is configured', () => {
  test('an empty one asks for everything', () => {
    expect(parse({})).toEqual({
      partitionSets: [0, 1],
      mode: 'archive',
      dryRun: false,
      archiveOnly: false,
      startedAt: '2026-03-04T05:06:07.000Z',
    });
  });

  test.each([
    [{ partitionSets: ['app.event'] }, { partitionSets: [0] }],
    [{ partitionSets: ['"App"."Odd ""name"'] }, { partitionSets: [1] }],
    [{ partitionSets: ['"App"."Odd ""name"', 'app.event', 'app.event'] }, { partitionSets: [0, 1] }],
    [{ only: 'inventory' }, { mode: 'inventory' }],
    [{ only: 'drop' }, { mode: 'drop' }],
    [{ dryRun: true }, { dryRun: true }],
    [
      { dryRun: false, archiveOnly: true },
      { dryRun: false, archiveOnly: true },
    ],
  ])('%j', (input, expected) => {
    expect(parse(input)).toMatchObject(expected);
  });
});

const wrongValues = [null, 0, 1, -1, 1.5, '', 'true', 'drop ', 'archive', [], {}, [[]], { a: 1 }];

describe('a field of the wrong type is refused', () => {
  test.each(wrongValues.map((value) => [JSON.stringify(value), value]))('an input that is %s', (_, value) => {
    if (JSON.stringify(value) === '{}') return;
    expect(refusal(value)).toMatch(/must be a JSON object|no such field/);
  });

  test.each(['dryRun', 'archiveOnly'])('%s', (flag) => {
    for (const value of wrongValues) {
      expect(refusal({ [flag]: value })).toContain(`${flag}: ${JSON.stringify(value)} must be true or false`);
    }
  });

  test('only', () => {
    for (const value of [...wrongValues, true, 'INVENTORY', ['drop']]) {
      expect(refusal({ only: value })).toContain('must be "inventory" or "drop"');
    }
  });

  test('partitionSets', () => {
    for (const value of [null, 0, true, 'app.event', {}, [], { 0: 'app.event', length: 1 }]) {
      expect(refusal({ partitionSets: value })).toContain('must be a list of names such as ["app.event"]');
    }
    for (const name of [null, 0, 1, true, {}, ['app.event'], '', 'app', 'event', 'App.event', 'app.event ']) {
      expect(refusal({ partitionSets: [name] })).toContain(
        `${JSON.stringify(name)} is not configured; configured are app.event, "App"."Odd ""name"`,
      );
    }
  });
});

describe('hostile inputs', () => {
  test.each([
    "app.event'; drop table app.event; --",
    'app.event"; drop schema partition_archiver cascade; --',
    'app.%',
    'app.event\0',
    'pg_catalog.pg_authid',
    '$(id)',
    '../../app.event',
    '__proto__',
    'length',
  ])('a set named %j is just not configured', (name) => {
    expect(refusal({ partitionSets: [name] })).toContain('is not configured');
  });

  test.each([
    'sql',
    'bucket',
    'prefix',
    'database',
    'table',
    'graceDays',
    'startedAt',
    'mode',
    'constructor',
    'toString',
    'hasOwnProperty',
    'DryRun',
    'dryrun',
    '',
  ])('an unknown field %j is refused, and not ignored', (field) => {
    expect(refusal({ [field]: true })).toContain(
      `${JSON.stringify(field)}: there is no such field; there are partitionSets, only, dryRun, archiveOnly`,
    );
  });

  test('a prototype is a field as any other', () => {
    const polluted: unknown = JSON.parse('{"__proto__": {"dryRun": true, "archiveOnly": true}}');
    expect(refusal(polluted)).toContain('"__proto__": there is no such field');
    expect(parse({})).toMatchObject({ dryRun: false, archiveOnly: false });
  });

  test('every mistake is told at once', () => {
    const message = refusal({ partitionSets: ['x', 'app.event', 7], only: 'all', dryRun: 'no', table: 'y' });
    expect(
      message.split('; ').filter((part) => !part.startsWith('configured') && !part.startsWith('there are')),
    ).toEqual([
      '"table": there is no such field',
      'only: "all" must be "inventory" or "drop"',
      'dryRun: "no" must be true or false',
      'partitionSets: "x" is not configured',
      'partitionSets: 7 is not configured',
    ]);
  });

  // Seen to fail without: truncateLines. A cause longer than 32 KiB is refused by Step Functions.
  test('the message stays short, however much is wrong', () => {
    const many = Array.from({ length: 20_000 }, (_, index) => `set${index}${'x'.repeat(200)}`);
    const sets = many.slice(0, 300).map((table) => ({ schema: 's', table: table.slice(0, 60) }));
    const message = refusal(
      { partitionSets: many, ...Object.fromEntries(many.map((field) => [field, 1])) },
      makeConfig({}, { partitionSets: sets }),
    );
    expect(Buffer.byteLength(message)).toBeLessThan(20_000);
    expect(message).toMatch(/and \d+ more$/);
    const one = refusal({ partitionSets: ['x'] }, makeConfig({}, { partitionSets: sets }));
    expect(Buffer.byteLength(one)).toBeLessThan(3_000);
  });

  test('of a long value its first hundred characters are shown', () => {
    expect(refusal({ dryRun: 'x'.repeat(500) })).toBe(`dryRun: "${'x'.repeat(99)} must be true or false`);
  });

  test('any JSON is either refused or narrows', () => {
    const input = fc.oneof(
      fc.jsonValue(),
      fc.record(
        {
          partitionSets: fc.oneof(
            fc.array(fc.constantFrom('app.event', '"App"."Odd ""name"', 'x')),
            fc.jsonValue(),
          ),
          only: fc.oneof(fc.constantFrom('inventory', 'drop'), fc.jsonValue()),
          dryRun: fc.oneof(fc.boolean(), fc.jsonValue()),
          archiveOnly: fc.oneof(fc.boolean(), fc.jsonValue()),
        },
        { requiredKeys: [] },
      ),
    );
    fc.assert(
      fc.property(input, (value) => {
        try {
          const request = parse(value);
          expect(request.partitionSets.length).toBeGreaterThan(0);
          expect([0, 1]).toEqual(expect.arrayContaining([...request.partitionSets]));
          expect(['archive', 'inventory', 'drop']).toContain(request.mode);
        } catch (error) {
          expect(error).toMatchObject({ code: 'InvalidInput' });
        }
      }),
    );
  });
});
