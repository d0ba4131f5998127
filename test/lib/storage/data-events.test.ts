/** Data events for many databases: a Region has five trails, and that quota cannot be raised. */
import { expect, test } from '@jest/globals';
import { CONFIGURATIONS } from '../configurations.ts';
import { textOf, type CloudTemplate } from '../rules/rule.ts';
import { resources, synthesise } from '../synthesise.ts';

interface Selector {
  readonly FieldSelectors: readonly { Field: string; Equals?: string[]; StartsWith?: string[] }[];
}

/** The advanced event selectors that a stack puts out. */
function selectorsOf(template: CloudTemplate): Selector[] {
  const found = Object.entries(template.Outputs ?? {}).filter(([id]) => id.includes('EventSelector'));
  return found.flatMap(([, { Value }]) => JSON.parse(textOf(Value)) as Selector[]);
}

// Seen to fail with a trail for each value of dataEvents.
test.each(['maximal', 'a second database of the VPC', 'instance'] as const)(
  '%s: "selector" makes no trail, and an output for a trail of the account that takes in its archives alone',
  (name) => {
    const changes = CONFIGURATIONS[name] as { archive: object; database: { name: string } };
    const template = synthesise({ ...changes, archive: { ...changes.archive, dataEvents: 'selector' } });
    expect(resources(template, 'AWS::CloudTrail::Trail')).toEqual([]);
    const [selector, ...more] = selectorsOf(template.toJSON() as CloudTemplate);
    expect(more).toEqual([]);
    const bucket = name === 'instance' ? 'arn:aws:s3:::company-archive' : '{ArchiverArchiveBucket…}';
    expect(selector?.FieldSelectors).toEqual([
      { Field: 'eventCategory', Equals: ['Data'] },
      { Field: 'resources.type', Equals: ['AWS::S3::Object'] },
      { Field: 'resources.ARN', StartsWith: [expect.any(String)] },
    ]);
    const [prefix = ''] = selector?.FieldSelectors[2]?.StartsWith ?? [];
    expect(prefix.replace(/(?<=ArchiverArchiveBucket)\w+\.Arn/, '…')).toBe(
      `${bucket}/${changes.database.name}/`,
    );
  },
);

test('a trail of its own is made only where that is asked for, and then one', () => {
  for (const [name, changes] of Object.entries(CONFIGURATIONS)) {
    const { archive } = changes as { archive?: { dataEvents?: unknown } };
    const trails = resources(synthesise(changes), 'AWS::CloudTrail::Trail');
    expect([name, trails.length]).toEqual([name, archive?.dataEvents === true ? 1 : 0]);
  }
});
