import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { runCommand } from '../support/command.ts';
import { projectFiles } from '../support/project-files.ts';

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'command-options-'));
const command = join(folder, 'command.ts');
writeFileSync(
  command,
  `/**
 * Does something, with
 *
 *   --fast   less of it
 */
import { commandOptions } from ${JSON.stringify(join(root, 'adapters/command-options.ts'))};
console.log(commandOptions(import.meta.filename, { options: { fast: { type: 'boolean' } } }).values.fast);
`,
);
writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const USAGE = 'Does something, with\n\n  --fast   less of it\n';

test('a command says what its options are, when it is asked and when it does not know one', async () => {
  expect(await runCommand('node', [command, '--fast'])).toEqual({ code: 0, stdout: 'true\n', stderr: '' });
  expect(await runCommand('node', [command, '--help'])).toEqual({ code: 0, stdout: USAGE, stderr: '' });
  expect(await runCommand('node', [command, '--slow'])).toEqual({
    code: 2,
    stdout: '',
    stderr: `Unknown option '--slow'\n\n${USAGE}`,
  });
});

test('every command reads its options in this way', () => {
  // The second takes its arguments as a parameter, and refuses them as it refuses others.
  const own = ['adapters/command-options.ts', 'acceptance/acceptance.ts'];
  const others = projectFiles().filter((file) => file.endsWith('.ts') && !own.includes(file));
  expect(
    others.filter((file) => /^import .*\bparseArgs\b/m.test(readFileSync(join(root, file), 'utf8'))),
  ).toEqual([]);
});
