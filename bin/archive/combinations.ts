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

/** What is wrong with the combination of arguments and options. */
export function combinationProblems(
  { exclusive = [], withArgument = [], withoutArgument = [] }: Combinations,
  args: readonly string[],
  options: CommandOptions,
): string[] {
  const isGiven = (name: OptionName): boolean => options[name] !== undefined;
  const [argument] = args;
  const misplaced = (argument === undefined ? withArgument : withoutArgument).filter(isGiven);
  const why =
    argument === undefined ? 'needs the argument' : `cannot be used with the argument '${argument}'`;
  return [
    ...exclusive.flatMap((group) => {
      const [one, other] = group.filter(isGiven);
      return one === undefined || other === undefined
        ? []
        : [`option '--${one}' cannot be used with option '--${other}'`];
    }),
    ...misplaced.map((name) => `option '--${name}' ${why}`),
  ];
}
