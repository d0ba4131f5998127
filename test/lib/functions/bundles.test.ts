import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { parseRuntimeConfig } from '../../../core/config/runtime.ts';
import { FUNCTION_NAMES, type FunctionName } from '../../../lib/functions/function-table.ts';
import { synthesiseAssembly } from '../synthesise.ts';

const LARGEST_BUNDLE_BYTES = 1_000_000;
const DATABASE_FILES = join(import.meta.dirname, '../../../db');

describe('the code', () => {
  let steps: string;
  let customResource: string;
  const size = (file: string) => statSync(file).size;

  beforeAll(() => {
    const assembly = synthesiseAssembly({ bundle: true });
    const assets = readdirSync(assembly)
      .filter((name) => name.startsWith('asset.'))
      .map((name) => join(assembly, name));
    const having = (file: string) => assets.filter((path) => readdirSync(path).includes(file));
    [steps = ''] = having('config.json');
    expect(having('config.json')).toHaveLength(1);
    // The CDK's own framework, which is in one file as well, is not ours.
    [customResource = ''] = having('package.json').filter((path) => path !== steps);
  });

  // With an asset for each function there were forty, of which two databases shared two.
  test('of all functions is one asset: a file for each, the configuration, and what is installed', () => {
    expect(readdirSync(steps).sort()).toEqual(
      ['config.json', 'db', 'package.json', ...FUNCTION_NAMES.map((name) => `${name}.js`)].sort(),
    );
    expect(readdirSync(join(steps, 'db')).sort()).toEqual(readdirSync(DATABASE_FILES).sort());
  });

  test.each(FUNCTION_NAMES)('of %s is small, since a cold start reads all of it', (name) => {
    expect(size(join(steps, `${name}.js`))).toBeLessThan(LARGEST_BUNDLE_BYTES);
  });

  test('of each function has its own steps, and no others', () => {
    const text = (name: FunctionName) => readFileSync(join(steps, `${name}.js`), 'utf8');
    expect(text('drop')).not.toContain('partition-table');
    expect(text('export')).not.toContain('"drop"');
  });

  test('of what runs at deployment is small, too, and has no configuration', () => {
    expect(readdirSync(customResource)).toEqual(['index.js', 'package.json']);
    expect(size(join(customResource, 'index.js'))).toBeLessThan(LARGEST_BUNDLE_BYTES);
  });

  test('has a configuration that the steps accept', () => {
    const text = readFileSync(join(steps, 'config.json'), 'utf8');
    expect(parseRuntimeConfig(JSON.parse(text))).toMatchObject({
      ok: true,
      config: {
        partitionSets: [
          { schema: 'public', table: 'orders', drop: true, graceDays: 14, segmentSizeMiB: 1024 },
          { schema: 'public', table: 'events', drop: false, graceDays: 7, segmentSizeMiB: 512 },
        ],
        concurrency: { partitions: 2, segments: 2 },
      },
    });
  });
});
