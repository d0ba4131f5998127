import tab from '@bomb.sh/tab/commander';
import { Command as Program, Option } from 'commander';
import { combinationProblems } from './combinations.ts';
import type { Command } from './command.ts';
import {
  OPTIONS,
  valueProblems,
  wordProblems,
  type CommandOptions,
  type OptionDefinition,
  type OptionName,
} from './options.ts';
import { parseWords } from './parse-words.ts';
import { PASSWORD_VARIABLES } from './settings.ts';

/** Commands under a heading of the help. */
export type CommandGroups = Readonly<Record<string, Readonly<Record<string, Command>>>>;

/** What a command line asks for: a command, or, once help or an error was printed, only to exit. */
export type CommandLine =
  | {
      readonly kind: 'run';
      readonly command: Command;
      readonly args: string[];
      readonly options: CommandOptions;
    }
  | { readonly kind: 'exit'; readonly code: number };

/** Where help and errors are printed. */
export interface CommandLineOutput {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** A command line that is wrong. */
const USAGE = 2;

const { administrator: ADMINISTRATOR, ...ROLES } = PASSWORD_VARIABLES;

const ENVIRONMENT = `
Environment:
  PGHOST, PGPORT, PGDATABASE, PGSSLMODE (verify-full or disable), PGSSLROOTCERT
  passwords of the database roles, which prepare sets and the other commands log in with:
    ${Object.values(ROLES).join('\n    ')}
  PGUSER and ${ADMINISTRATOR} for what an administrator does
  ARCHIVE_BUCKET, AWS_REGION, AWS_ENDPOINT_URL_S3, and the credentials of the AWS SDK
  ARCHIVE_BUCKET_OWNER: the account that the bucket has to belong to; every call is refused otherwise

Exit codes:
  0 done   1 something failed, or a partition did   2 the command line is wrong   3 input or configuration is refused
  128 and a signal's number: interrupted (130 by Ctrl-C); the same command resumes what it began
`;

/** The options that a command honours. */
export function optionsOf({ options, needs }: Command): readonly OptionName[] {
  return [...options, ...(needs.config === undefined ? [] : (['config'] as const)), 'log', 'json'];
}

/**
 * Reads the words that follow `invocation`, which help and errors show (`partition-archiver`, `npm run archive --`).
 * Prints help, or everything that is wrong, and never ends the process.
 */
export function parseCommandLine(
  words: readonly string[],
  groups: CommandGroups,
  { out, err }: CommandLineOutput,
  invocation: string,
): CommandLine {
  const program = new Program(invocation)
    .usage('<command> [options]')
    .helpOption('--help', 'shows this text, or that of a command')
    .helpCommand(false)
    .configureOutput({ writeOut: out, writeErr: err, outputError: () => undefined })
    .configureHelp({ sortSubcommands: false, showGlobalOptions: false })
    .addHelpText('after', ENVIRONMENT)
    .exitOverride();
  for (const [heading, commands] of Object.entries(groups)) {
    program.commandsGroup(`${heading}:`);
    for (const [name, command] of Object.entries(commands)) addCommand(program, name, command, invocation);
  }
  // A shell completes a program of one word.
  if (!invocation.includes(' ')) tab(program);
  const parsed = parseWords(program, words);
  if (parsed === null) return { kind: 'exit', code: 0 };
  // Commander leaves the end of the options out, wherever it stands.
  const name = parsed.words.find((word) => word !== '--') ?? '';
  const refuse = (problems: readonly string[], ...advice: readonly string[]): CommandLine => {
    for (const line of [...new Set(problems), ...advice]) err(`${line}\n`);
    return { kind: 'exit', code: problems.length === 0 ? 0 : USAGE };
  };
  if (name === '') {
    return refuse([...parsed.problems, `error: a command is missing; ${invocation} --help lists them`]);
  }
  const subcommand = program.commands.find((each) => each.name() === name);
  const command = Object.values(groups).find((commands) => Object.hasOwn(commands, name))?.[name];
  // An unknown command, or the one that completes commands in a shell, and which has run by now.
  if (subcommand === undefined || command === undefined) return refuse(parsed.problems);
  const { args } = subcommand;
  const { options, repeated } = optionsGiven(subcommand, command);
  const combined = parsed.isAmbiguous ? [] : combinationProblems(command.combinations ?? {}, args, options);
  const problems = [...parsed.problems, ...[...repeated, ...combined].map((problem) => `error: ${problem}`)];
  if (problems.length === 0) return { kind: 'run', command, args: [...args], options };
  const wrongWords = parsed.isAmbiguous ? [] : wordProblems(command.arguments ?? '', args);
  const wrong = [...wrongWords, ...valueProblems(options)];
  const honoured = optionsOf(command).map((option) => `--${option}`);
  return refuse(
    [...problems, ...wrong.map((problem) => `error: ${problem}`)],
    `${name} takes ${honoured.join(', ')}`,
    `Try: ${invocation} ${name} --help`,
  );
}

function addCommand(program: Program, name: string, command: Command, invocation: string): void {
  const subcommand = program
    .command([name, command.arguments ?? ''].join(' ').trim())
    .description(command.does)
    .helpOption('--help', 'shows this text')
    .allowExcessArguments(false)
    .addHelpText('after', examplesText(command.examples, invocation))
    .exitOverride()
    .action(() => undefined);
  for (const option of optionsOf(command))
    subcommand.addOption(makeOption(option, mayRepeat(option, command)));
}

/** The options that the command line has, and what is wrong with those that it has several times. */
function optionsGiven(
  subcommand: Program,
  command: Command,
): { readonly options: CommandOptions; readonly repeated: readonly string[] } {
  const values = subcommand.opts<Record<string, string[] | true>>();
  const given = optionsOf(command).filter((option) => subcommand.getOptionValueSource(option) === 'cli');
  const repeated = given.filter(
    (option) => [values[option]].flat().length > 1 && !mayRepeat(option, command),
  );
  const valueOf = (option: OptionName): unknown => {
    const { multiple }: OptionDefinition = OPTIONS[option];
    const value = values[option];
    return Array.isArray(value) && multiple !== true ? value.at(-1) : value;
  };
  return {
    options: Object.fromEntries(given.map((option) => [option, valueOf(option)])),
    repeated: repeated.map((option) => `option '--${option}' may be given only once`),
  };
}

function mayRepeat(name: OptionName, { combinations }: Command): boolean {
  const { multiple }: OptionDefinition = OPTIONS[name];
  return multiple === true && combinations?.once?.includes(name) !== true;
}

/** An option whose value is stored under its own name; a switch is true, one with `no-` too. */
function makeOption(name: OptionName, repeats: boolean): Option {
  const { value, does }: OptionDefinition = OPTIONS[name];
  const several = repeats ? '; may be given several times' : '';
  const option = new NamedOption([`--${name}`, value ?? ''].join(' ').trim(), does + several);
  option.negate = false;
  if (value !== undefined) {
    option.argParser((text: string, before: string[] | undefined) => [...(before ?? []), text]);
  }
  return option;
}

/** Commander stores an option under its name in camel case; here, a name is spelled in one way everywhere. */
class NamedOption extends Option {
  override attributeName(): string {
    return this.name();
  }
}

function examplesText(examples: readonly string[], invocation: string): string {
  return ['', 'Examples:', ...examples.map((example) => `  ${invocation} ${example}`)].join('\n');
}
