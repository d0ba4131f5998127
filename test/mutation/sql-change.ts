/** A change that no rule makes: a clause that decides, in words that occur once in the file. */
export interface SqlChange {
  readonly file: string;
  readonly find: string;
  readonly replacement: string;
  readonly what: string;
}

/** The changes of one file. */
export const changes = (
  file: string,
  list: readonly (readonly [find: string, replacement: string, what: string])[],
): SqlChange[] => list.map(([find, replacement, what]) => ({ file, find, replacement, what }));
