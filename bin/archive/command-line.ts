import tab from '@bomb.sh/tab/commander';
import { CommanderError, Command as Program, Option } from 'commander';
import { combinationProblem } from './combinations.ts';
import type { Command } from './command.ts';
import { OPTIONS, type CommandOptions, type OptionDefinition, type OptionName } from './options.ts';
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
`;

/** The options that a command honours. */
export function optionsOf({ options, needs }: Command): readonly OptionName[] {
  return [...options, ...(needs.config === undefined ? [] : (['config'] as const)), 'log', 'json'];
}

/**
 * Reads the words that follow `invocation`, which help and errors show (`partition-archiver`, `npm run archive --`).
 * Prints help and errors, and never ends the process.
 */
export function parseCommandLine(
  words: readonly string[],
  groups: CommandGroups,
  { out, err }: CommandLineOutput,
  invocation: string,
): CommandLine {
  let result: CommandLine = { kind: 'exit', code: 0 };
  const program = new Program(invocation)
    .usage('<command> [options]')
    .helpOption('--help', 'shows this text, or that of a command')
    .helpCommand(false)
    .configureOutput({ writeOut: out, writeErr: err })
    .configureHelp({ sortSubcommands: false, showGlobalOptions: false })
    .addHelpText('after', ENVIRONMENT)
    .exitOverride();
  for (const [heading, commands] of Object.entries(groups)) {
    program.commandsGroup(`${heading}:`);
    for (const [name, command] of Object.entries(commands)) {
      addCommand(program, name, command, invocation, (args, options) => {
        result = { kind: 'run', command, args, options };
      });
    }
  }
  // A shell completes a program of one word.
  if (!invocation.includes(' ')) tab(program);
  try {
    if (words.length === 0) program.error(`a command is missing; ${invocation} --help lists them`);
    program.parse([...words], { from: 'user' });
    return result;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { kind: 'exit', code: error.exitCode === 0 ? 0 : USAGE };
  }
}

function addCommand(
  program: Program,
  name: string,
  command: Command,
  invocation: string,
  chosen: (args: string[], options: CommandOptions) => void,
): void {
  const honoured = optionsOf(command);
  const subcommand = program
    .command([name, command.arguments ?? ''].join(' ').trim())
    .description(command.does)
    .helpOption('--help', 'shows this text')
    .allowExcessArguments(false)
    .addHelpText('after', examplesText(command.examples, invocation))
    .configureOutput({
      outputError: (text, write) => {
        write(`${text}${name} takes ${honoured.map((option) => `--${option}`).join(', ')}\n`);
        write(`Try: ${invocation} ${name} --help\n`);
      },
    })
    .exitOverride();
  const { once = [] } = command.combinations ?? {};
  for (const option of honoured) subcommand.addOption(makeOption(option, once.includes(option)));
  subcommand.action(() => {
    const values = subcommand.opts<Record<string, CommandOptions[OptionName]>>();
    const given = honoured.filter((option) => subcommand.getOptionValueSource(option) === 'cli');
    const options = Object.fromEntries(given.map((option) => [option, values[option]])) as CommandOptions;
    const problem = combinationProblem(command.combinations ?? {}, subcommand.args, options);
    if (problem !== null) subcommand.error(`error: ${problem}`);
    chosen([...subcommand.args], options);
  });
}

/** An option whose value is stored under its own name; a switch is true, one with `no-` too. */
function makeOption(name: OptionName, once: boolean): Option {
  const { value, multiple, does }: OptionDefinition = OPTIONS[name];
  const repeats = multiple === true && !once ? '; may be given several times' : '';
  const option = new NamedOption([`--${name}`, value ?? ''].join(' ').trim(), does + repeats);
  option.negate = false;
  if (multiple === true) {
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
