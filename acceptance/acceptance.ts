import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Account, type Place } from './account.ts';
import type { Ports } from './ports.ts';
import type { Step } from './step.ts';
import { REMOVAL, STEPS } from './steps.ts';
import { STACK, SURROUNDINGS, terms } from './terms.ts';

/** Which steps are wanted. */
interface Choice {
  readonly destroy: boolean;
  readonly keep: boolean;
  readonly only?: string | undefined;
  readonly from?: string | undefined;
}

/** A mistake of the caller: said without a stack trace. */
const REFUSED = 2;

/**
 * Runs the whole product in an AWS account, from nothing to nothing. Returns the exit status: 0 when each step found what
 * it should, 1 when one did not, 2 when nothing was begun.
 *
 * @param root the folder of this repository
 */
export async function acceptance(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  root: string,
  ports: Ports,
): Promise<number> {
  const refuse = (why: string): number => {
    ports.print(why);
    return REFUSED;
  };
  let options: ReturnType<typeof optionsOf>;
  try {
    options = optionsOf(args);
  } catch (error) {
    return refuse(`${messageOf(error)}. docs/acceptance.md lists the options.`);
  }
  if ((environment['CI'] ?? '') !== '') return refuse('not in CI: this creates resources that cost money');
  const region = environment['AWS_REGION'] ?? environment['AWS_DEFAULT_REGION'] ?? '';
  if (region === '') return refuse('AWS_REGION is not set');
  const steps = chosen(options);
  if (steps.length === 0) {
    return refuse(`--only and --from take one of: ${STEPS.map(({ name }) => name).join(', ')}`);
  }
  if (options.zones !== undefined && options.zones.split(',').length !== 2) {
    return refuse('--zones takes two availability zones: eu-central-1a,eu-central-1b');
  }
  let place: Place;
  try {
    const { previous, qualifier } = options;
    const found = await whoIsIt({ region, root, previous, qualifier }, ports);
    place = { ...found, zones: options.zones?.split(',') };
  } catch (error) {
    return refuse(messageOf(error));
  }
  for (const line of terms(place.accountId, region)) ports.print(line);
  if (!options.yes) return refuse(`Nothing was done. Run it again with --yes for: ${namesOf(steps)}`);
  return perform(steps, new Account(ports, place));
}

function optionsOf(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    options: {
      yes: { type: 'boolean', default: false },
      destroy: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      only: { type: 'string' },
      from: { type: 'string' },
      previous: { type: 'string', default: 'HEAD^' },
      zones: { type: 'string' },
      // Of the CDK's bootstrap; hnb659fds is the CDK's own default.
      qualifier: { type: 'string', default: 'hnb659fds' },
    },
  }).values;
}

/** The steps that the options ask for; none for a name that no step has. */
function chosen({ destroy, keep, only, from }: Choice): readonly Step[] {
  if (only !== undefined) return STEPS.filter(({ name }) => name === only);
  if (destroy) return REMOVAL;
  const first = from === undefined ? 0 : STEPS.findIndex(({ name }) => name === from);
  const rest = first === -1 ? [] : STEPS.slice(first);
  return keep ? rest.filter((each) => !REMOVAL.includes(each)) : rest;
}

async function whoIsIt(
  given: Pick<Place, 'region' | 'root' | 'previous' | 'qualifier'>,
  ports: Ports,
): Promise<Place> {
  const scratch = join(tmpdir(), 'partition-archiver-acceptance');
  const unknown = { accountId: '', partition: '', scratch, ...given };
  const { Account: accountId, Arn } = await new Account(ports, unknown).aws<{ Account: string; Arn: string }>(
    'sts get-caller-identity',
  );
  return { ...unknown, accountId, partition: Arn.split(':')[1] ?? 'aws' };
}

/** Runs steps until one fails; says then what exists and how it is removed. */
async function perform(steps: readonly Step[], account: Account): Promise<number> {
  const { ports } = account;
  for (const [index, step] of steps.entries()) {
    const { name, shows } = step;
    ports.print(`[${String(index + 1)}/${String(steps.length)}] ${name}: ${shows}`);
    const began = ports.now();
    try {
      ports.print(indented(`${await step.run(account)} (${String(Math.round(ports.now() - began))} s)`));
    } catch (error) {
      ports.print(`stopped at ${name}: ${messageOf(error)}`);
      for (const stack of [STACK, SURROUNDINGS]) {
        ports.print(indented(`${stack}: ${await statusOf(account, stack)}`));
      }
      ports.print(`not done: ${namesOf(steps.slice(index + 1)) || 'nothing'}`);
      ports.print(`Once the cause is fixed: npm run acceptance:deploy -- --yes --from ${name}`);
      ports.print('To remove what exists:   npm run acceptance:deploy -- --yes --destroy');
      return 1;
    }
  }
  return 0;
}

/** The account may be out of reach by now. */
async function statusOf(account: Account, stack: string): Promise<string> {
  try {
    return (await account.stack(stack))?.StackStatus ?? 'does not exist';
  } catch (error) {
    return `not known: ${messageOf(error)}`;
  }
}

const namesOf = (steps: readonly Step[]): string => steps.map(({ name }) => name).join(', ');
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const indented = (text: string): string => text.replaceAll(/^/gm, '      ');
