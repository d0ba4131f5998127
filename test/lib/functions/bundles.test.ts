import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { FUNCTION_NAMES, type FunctionName } from '../../../lib/functions/function-table.ts';
import { CUSTOM_RESOURCE } from '../../../lib/function-bundles.ts';
import { synthesiseAssembly } from '../synthesise.ts';

const MOST_BYTES_OF_A_FUNCTION = 1_000_000;
const MOST_BYTES_OF_ALL = 3_000_000;
const DATABASE_FILES = join(import.meta.dirname, '../../../db');

describe('the code', () => {
  let code: string;
  const text = (file: string) => readFileSync(join(code, file), 'utf8');

  /** A file and all that it loads of the asset, sooner or later. */
  function loadedBy(file: string, found = new Set<string>()): Set<string> {
    if (found.has(file)) return found;
    found.add(file);
    for (const [, name = ''] of text(file).matchAll(/require\(["'`]\.\/([^"'`]+\.js)["'`]\)/g))
      loadedBy(name, found);
    return found;
  }

  beforeAll(() => {
    const assembly = synthesiseAssembly({ bundle: true });
    const found = readdirSync(assembly)
      .filter((name) => name.startsWith('asset.'))
      .map((name) => join(assembly, name))
      // The CDK's own framework, which is in one file, is not ours.
      .filter((path) => readdirSync(path).includes('package.json'));
    [code = ''] = found;
    expect(found).toHaveLength(1);
  });

  // With an asset for each function there were forty, of which two databases shared two.
  test('of all functions is one asset: a file for each, files that they share, and what is installed', () => {
    const names = readdirSync(code);
    const shared = names.filter((name) => /-[0-9A-Z]{8}\.js$/.test(name));
    expect(names.filter((name) => !shared.includes(name)).sort()).toEqual(
      ['db', 'package.json', ...[...FUNCTION_NAMES, CUSTOM_RESOURCE].map((name) => `${name}.js`)].sort(),
    );
    expect(readdirSync(join(code, 'db')).sort()).toEqual(readdirSync(DATABASE_FILES).sort());
  });

  // 12 MB with all that a function needs in its own file.
  test('is small, since what several functions need is there once', () => {
    const sizes = readdirSync(code)
      .filter((name) => name.endsWith('.js'))
      .map((name) => statSync(join(code, name)).size);
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(MOST_BYTES_OF_ALL);
  });

  test.each([...FUNCTION_NAMES, CUSTOM_RESOURCE])(
    'of %s is small, since a cold start reads all of it',
    (name) => {
      const sizes = [...loadedBy(`${name}.js`)].map((file) => statSync(join(code, file)).size);
      expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(MOST_BYTES_OF_A_FUNCTION);
    },
  );

  test('of each function has its own steps, and no others', () => {
    const all = (name: FunctionName) => [...loadedBy(`${name}.js`)].map(text).join('\n');
    expect(all('administration')).toContain('backfill');
    expect(all('drop')).not.toContain('backfill');
    expect(all('drop')).toContain('drop_verified');
    expect(all('export')).not.toContain('drop_verified');
  });
});
