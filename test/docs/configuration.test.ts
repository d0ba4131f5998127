import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { deploymentJsonSchema, parseDeploymentConfig } from '../../core/config/deployment.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/configuration.md'), 'utf8');
const [, annotated = ''] = /```jsonc\n(.*?)```/s.exec(page) ?? [];

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
}

/** Names of all settings, at every depth. */
const namesOf = ({ properties = {}, items, anyOf = [] }: Schema): string[] => [
  ...Object.entries(properties).flatMap(([name, schema]) => [name, ...namesOf(schema)]),
  ...[...(items === undefined ? [] : [items]), ...anyOf].flatMap(namesOf),
];

test('the annotated deployment file is one that is accepted', () => {
  const plain = annotated
    .split('\n')
    .map((line) => line.replace(/(^|\s)\/\/ .*$/, ''))
    .join('\n');
  const parsed = parseDeploymentConfig(JSON.parse(plain));
  expect(parsed.ok ? [] : parsed.problems).toEqual([]);
});

test('it has every setting', () => {
  const names = [...new Set(namesOf(deploymentJsonSchema()))];
  expect(names.length).toBeGreaterThan(50);
  expect(names.filter((name) => !annotated.includes(`"${name}":`))).toEqual([]);
});
