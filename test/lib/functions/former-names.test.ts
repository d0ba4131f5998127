/** Archives under the names that the database had before it was renamed: read by those who read; of what is written, only the Parquet copies of archives. */
import { expect, test } from '@jest/globals';
import { exampleConfig, resources, roleStatements, synthesise } from '../synthesise.ts';

const { database } = exampleConfig() as { database: object };
const others = {
  archive: { dataEvents: true },
  glueDatabase: 'shop_archive',
  partitionSets: [{ schema: 'app', table: 'event', query: true }],
};
const renamed = synthesise({
  ...others,
  database: { ...database, name: 'shop', formerNames: ['old', 'older'] },
});
const named = synthesise({ ...others, database: { ...database, name: 'shop' } });

/** `<role> <action> <folder pattern>` of everything that is allowed below a name. */
function below(template: typeof renamed, name: string): string[] {
  return roleStatements(template)
    .flatMap(({ role, statement: { Action, Resource } }) =>
      [Action].flat().flatMap((action) =>
        [Resource].flat().flatMap((each) => {
          const pattern = new RegExp(`/${name}/([^"]*)"`).exec(JSON.stringify(each))?.[1];
          return pattern === undefined ? [] : [`${role} ${action} ${pattern}`];
        }),
      ),
    )
    .sort();
}

const READS = /s3:(GetObject|GetObjectVersion|RestoreObject) /;
const COPIES = /s3:Put\w+ \*\/query(-manifest)?\/\*$/;

// Seen to fail with the name of today alone, also of Catalog and Conversion: nothing below the former ones.
test.each(['old', 'older'])(
  'roles that read below the name read below %s, and nothing but copies is written there',
  (former) => {
    const all = below(named, 'shop');
    const reading = all.filter((line) => READS.test(line) || COPIES.test(line));
    expect(reading.length).toBeGreaterThan(10);
    expect(all.filter((line) => COPIES.test(line))).toHaveLength(3);
    expect(below(renamed, former)).toEqual(reading);
  },
);

test('below the name of today everything is as without former names', () => {
  expect(below(renamed, 'shop')).toEqual(below(named, 'shop'));
});

test('functions are told of the former names', () => {
  const told = resources(renamed, 'AWS::Lambda::Function').flatMap(([, { Properties }]) => {
    const { Variables = {} } = (Properties['Environment'] ?? {}) as { Variables?: Record<string, unknown> };
    return 'DATABASE_NAME' in Variables ? [Variables['FORMER_DATABASE_NAMES']] : [];
  });
  expect(new Set(told)).toEqual(new Set(['old,older']));
});

test('versions below former names can be listed', () => {
  const prefixes = roleStatements(renamed).flatMap(
    ({ statement }) => statement.Condition?.['StringLike']?.['s3:prefix'] ?? [],
  );
  expect(new Set(prefixes)).toEqual(new Set(['shop/*', 'old/*', 'older/*']));
});

test('the trail watches all of them', () => {
  const [[, trail] = []] = resources(renamed, 'AWS::CloudTrail::Trail');
  const text = JSON.stringify(trail?.Properties['EventSelectors']);
  for (const name of ['shop', 'old', 'older']) expect(text).toContain(`/${name}/"`);
});
