import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { FUNCTION_NAMES, type FunctionName } from '../../../lib/functions/function-table.ts';
import { CUSTOM_RESOURCE } from '../../../lib/handler-code.ts';
import { synthesiseAssembly } from '../synthesise.ts';

const LARGEST_BUNDLE_BYTES = 1_000_000;
const DATABASE_FILES = join(import.meta.dirname, '../../../db');

describe('the code', () => {
  let code: string;
  const size = (file: string) => statSync(join(code, file)).size;

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
  test('of all functions is one asset: a file for each, and what is installed', () => {
    expect(readdirSync(code).sort()).toEqual(
      ['db', 'package.json', ...[...FUNCTION_NAMES, CUSTOM_RESOURCE].map((name) => `${name}.js`)].sort(),
    );
    expect(readdirSync(join(code, 'db')).sort()).toEqual(readdirSync(DATABASE_FILES).sort());
  });

  test.each([...FUNCTION_NAMES, CUSTOM_RESOURCE])(
    'of %s is small, since a cold start reads all of it',
    (name) => {
      expect(size(`${name}.js`)).toBeLessThan(LARGEST_BUNDLE_BYTES);
    },
  );

  test('of each function has its own steps, and no others', () => {
    const text = (name: FunctionName) => readFileSync(join(code, `${name}.js`), 'utf8');
    expect(text('drop')).not.toContain('partition-table');
    expect(text('export')).not.toContain('"drop"');
  });
});
