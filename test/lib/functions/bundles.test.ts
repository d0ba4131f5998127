import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { parseRuntimeConfig } from '../../../core/config/runtime.ts';
import { STEP_NAMES, STEPS } from '../../../lib/functions/steps.ts';
import { synthesiseAssembly } from '../synthesise.ts';

const LARGEST_BUNDLE_BYTES = 1_000_000;
const DATABASE_FILES = join(import.meta.dirname, '../../../db');

describe('the bundles', () => {
  let assembly: string;
  let directories: string[];
  let others: string[];

  beforeAll(() => {
    assembly = synthesiseAssembly({ bundle: true });
    const bundles = readdirSync(assembly)
      .filter((name) => name.startsWith('asset.'))
      .map((name) => join(assembly, name))
      .filter((path) => readdirSync(path).includes('index.js'));
    directories = bundles.filter((path) => readdirSync(path).includes('config.json'));
    others = bundles.filter((path) => !directories.includes(path));
  });

  test('consist of one module and the configuration, and of db/ where that is installed', () => {
    expect(directories).toHaveLength(STEP_NAMES.length);
    const withSql = directories.filter((directory) => readdirSync(directory).includes('db'));
    expect(withSql).toHaveLength(STEP_NAMES.filter((step) => STEPS[step].installs === true).length);
    for (const directory of directories) {
      expect(readdirSync(directory).filter((name) => name !== 'db')).toEqual([
        'config.json',
        'index.js',
        'package.json',
      ]);
    }
    for (const directory of withSql) {
      expect(readdirSync(join(directory, 'db')).sort()).toEqual(readdirSync(DATABASE_FILES).sort());
    }
  });

  test('are small, since a cold start reads all of it', () => {
    for (const directory of directories) {
      const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) =>
        entry.isFile(),
      );
      const sizes = files.map(({ parentPath, name }) => statSync(join(parentPath, name)).size);
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(LARGEST_BUNDLE_BYTES);
    }
  });

  test('of what runs at deployment are small, too, and have no configuration', () => {
    // The two handlers that attach roles are one file, and the CDK's own framework is not ours.
    expect(others).toHaveLength(1);
    expect(readdirSync(others[0] ?? '')).toEqual(['index.js', 'package.json']);
    expect(statSync(join(others[0] ?? '', 'index.js')).size).toBeLessThan(LARGEST_BUNDLE_BYTES);
  });

  test('have a configuration that the steps accept', () => {
    const text = readFileSync(join(directories[0] ?? '', 'config.json'), 'utf8');
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
