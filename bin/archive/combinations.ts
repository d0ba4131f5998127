import type { CommandOptions, OptionName } from './options.ts';

/** Which options of a command go together. What a combination would pass over is refused. */
export interface Combinations {
  /** Groups of which one option at most is given. */
  readonly exclusive?: readonly (readonly OptionName[])[];
  /** Options for the archive that the argument names. */
  readonly withArgument?: readonly OptionName[];
  /** Options that choose what the argument would name. */
  readonly withoutArgument?: readonly OptionName[];
  /** Options that other commands take several times. */
  readonly once?: readonly OptionName[];
}

/** What is wrong with a combination, for the first that is; `null` if nothing is. */
export function combinationProblem(
  { exclusive = [], withArgument = [], withoutArgument = [], once = [] }: Combinations,
  args: readonly string[],
  options: CommandOptions,
): string | null {
  const isGiven = (name: OptionName): boolean => options[name] !== undefined;
  for (const group of exclusive) {
    const [one, other] = group.filter(isGiven);
    if (one !== undefined && other !== undefined)
      return `option '--${one}' cannot be used with option '--${other}'`;
  }
  const [argument] = args;
  const misplaced = (argument === undefined ? withArgument : withoutArgument).find(isGiven);
  if (misplaced !== undefined) {
    return argument === undefined
      ? `option '--${misplaced}' needs the argument`
      : `option '--${misplaced}' cannot be used with the argument '${argument}'`;
  }
  const repeated = once.find((name) => {
    const value = options[name];
    return Array.isArray(value) && value.length > 1;
  });
  return repeated === undefined ? null : `option '--${repeated}' may be given only once`;
}
