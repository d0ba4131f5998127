import { readFileSync } from 'node:fs';
import { parseArgs, type ParseArgsConfig } from 'node:util';

/**
 * The options that a command of this repository was started with; `file` is its own (`import.meta.filename`). With `--help`, and
 * with an option that it does not know, the comment at the head of the file is shown, and the process ends: with exit code 0,
 * or with 2 after the reason.
 */
export function commandOptions<Config extends ParseArgsConfig>(
  file: string,
  config: Config,
): ReturnType<typeof parseArgs<Config>> {
  const [, comment = ''] = /\/\*\*\n(.*?)\n \*\//s.exec(readFileSync(file, 'utf8')) ?? [];
  const usage = comment.replaceAll(/^ \* ?/gm, '');
  if (process.argv.includes('--help')) {
    process.stdout.write(`${usage}\n`);
    process.exit(0);
  }
  try {
    return parseArgs(config);
  } catch (error) {
    if (!(error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS_')) throw error;
    process.stderr.write(`${(error as Error).message}\n\n${usage}\n`);
    process.exit(2);
  }
}
