import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');

/** All files of the project by their paths in it; without git (a source tree that was copied), those that a walk finds. */
export function projectFiles(): string[] {
  const [program = '', ...args] = existsSync(join(ROOT, '.git'))
    ? ['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard']
    : ['sh', '-c', 'find . \\( -name node_modules -o -path ./.local \\) -prune -o -type f -print0'];
  return execFileSync(program, args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 2 ** 24 })
    .split('\0')
    .map((name) => name.replace(/^\.\//, ''))
    .filter((name) => name !== '' && existsSync(join(ROOT, name)));
}
