import { CommanderError, type Command as Program } from 'commander';
import { OPTIONS, type OptionDefinition } from './options.ts';

/** What came of parsing words that may be wrong. */
export interface ParsedWords {
  /** Those that Commander accepts, or refuses as a whole. */
  readonly words: readonly string[];
  /** As Commander says them. */
  readonly problems: readonly string[];
  /** An option that does not exist precedes a word that may be its value: the arguments are not known. */
  readonly isAmbiguous: boolean;
}

/**
 * Parses words by a program that throws instead of exiting; `null` once it has shown its help. Commander ends at the first
 * problem: what it refuses is left out, and the rest is parsed again.
 */
export function parseWords(program: Program, words: readonly string[]): ParsedWords | null {
  const problems: string[] = [];
  let rest = [...words];
  let isAmbiguous = false;
  while (rest.length > 0) {
    const error = problemOf(program, rest);
    if (error === null) break;
    if (error.exitCode === 0) return null;
    const refused = refusedWords(error, rest);
    if (refused !== null || !isAmbiguous) problems.push(error.message);
    if (refused === null) break;
    isAmbiguous ||= refused.isAmbiguous;
    rest = rest.toSpliced(refused.at, refused.count);
  }
  return { words: rest, problems, isAmbiguous };
}

function problemOf(program: Program, words: readonly string[]): CommanderError | null {
  try {
    program.parse([...words], { from: 'user' });
    return null;
  } catch (error) {
    if (error instanceof CommanderError) return error;
    throw error;
  }
}

/** The words that an error is about; `null` where it is about the whole. */
function refusedWords(
  { code, message }: CommanderError,
  words: readonly string[],
): { readonly at: number; readonly count: number; readonly isAmbiguous: boolean } | null {
  // Any word after it would be its value.
  if (code === 'commander.optionMissingArgument')
    return { at: words.length - 1, count: 1, isAmbiguous: false };
  const at = words.findIndex(
    (word) => word.startsWith('-') && message.startsWith(`error: unknown option '${word}'`),
  );
  if (code !== 'commander.unknownOption' || at === -1) return null;
  const [option = '', next = '-'] = words.slice(at);
  if (option.includes('=') || next.startsWith('-')) return { at, count: 1, isAmbiguous: false };
  const known = Object.entries<OptionDefinition>(OPTIONS).find(([name]) => `--${name}` === option)?.[1];
  if (known === undefined) return { at, count: 1, isAmbiguous: true };
  return { at, count: known.value === undefined ? 1 : 2, isAmbiguous: false };
}
