/** Archives under the names that the database had before it was renamed: read by those who read, written by nobody. */
import { expect, test } from '@jest/globals';
import { exampleConfig, resources, roleStatements, synthesise } from '../synthesise.ts';

const { database } = exampleConfig() as { database: object };
const renamed = synthesise({
  database: { ...database, name: 'shop', formerNames: ['old', 'older'] },
  archive: { dataEvents: true },
});
const named = synthesise({ database: { ...database, name: 'shop' }, archive: { dataEvents: true } });

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

// Seen to fail with the name of today alone: nothing below the former ones.
test.each(['old', 'older'])(
  'roles that read below the name read below %s, and writes nothing there',
  (former) => {
    const reading = below(named, 'shop').filter((line) => READS.test(line));
    expect(reading.length).toBeGreaterThan(10);
    expect(below(renamed, former)).toEqual(reading);
  },
);

test('below the name of today everything is as without former names', () => {
  expect(below(renamed, 'shop')).toEqual(below(named, 'shop'));
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
