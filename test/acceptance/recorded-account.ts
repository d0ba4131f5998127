import type { Ended, Ports } from '../../acceptance/ports.ts';
import { ROWS } from '../../acceptance/rows.ts';
import type { AccountState, Answer, Asked, Spoil } from './account-state.ts';
import { recordedAnswers } from './recorded-answers.ts';

/** The account, and what was done in it. */
export interface RecordedAccount {
  readonly ports: Ports;
  readonly printed: string[];
  /** Each call, in order, as it would be typed. */
  readonly calls: string[];
  readonly files: Map<string, string>;
}

/** An account in which nothing is yet; `spoils` change the answers to the commands that they are named after. */
export function recordedAccount(spoils: Readonly<Record<string, Spoil>> = {}): RecordedAccount {
  const printed: string[] = [];
  const calls: string[] = [];
  const files = new Map<string, string>();
  const state: AccountState = {
    statuses: new Map(),
    rows: ROWS,
    quarantined: 0,
    prepared: false,
    alarming: '',
  };
  const answers = recordedAnswers(state);
  let seconds = 0;

  const ports: Ports = {
    run: (program, args) => {
      calls.push([program.endsWith('node') ? 'cdk' : program, ...args].join(' '));
      const command = commandOf(program, args);
      const answer = answers[command];
      if (answer === undefined) throw new Error(`no answer to ${command}`);
      const asked = optionsOf(args);
      const spoil = spoils[command];
      const plain = answer(asked, args);
      return Promise.resolve(ended(spoil === undefined ? plain : spoil(plain, asked)));
    },
    now: () => seconds,
    pause: (more) => {
      seconds += more;
      return Promise.resolve();
    },
    write: (path, text) => {
      files.set(path.split('/').at(-1) ?? '', text);
    },
    print: (line) => {
      printed.push(line);
    },
  };
  return { ports, printed, calls, files };
}

/** `rds describe-db-proxy-targets`, `git worktree`, `cdk deploy`. */
function commandOf(program: string, args: readonly string[]): string {
  if (program === 'aws') return args.slice(0, 2).join(' ');
  if (program === 'git' || program === 'npm') return `${program} ${args[0] ?? ''}`;
  return `cdk ${args[1] ?? ''}`;
}

function optionsOf(args: readonly string[]): Asked {
  const asked: Record<string, string> = {};
  args.forEach((each, index) => {
    if (each.startsWith('--')) asked[each.slice(2)] = args[index + 1] ?? '';
    if (each.startsWith('config=')) asked['config'] = each.slice('config='.length);
  });
  return asked;
}

function ended(answer: Answer): Ended {
  if (typeof answer === 'object' && 'code' in answer) return answer as Ended;
  return { code: 0, stdout: typeof answer === 'string' ? answer : JSON.stringify(answer), stderr: '' };
}
