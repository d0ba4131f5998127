import type { Account } from '../account.ts';
import { cdk } from '../deployment.ts';
import { must, step, type Step } from '../step.ts';

/** What the registry of CloudFormation has of a type: a JSON text. */
interface DescribedType {
  readonly Schema: string;
}

/** A part of the history of an execution. */
interface HistoryEvent {
  readonly type: string;
  readonly taskScheduledEventDetails?: { readonly parameters: string };
  readonly taskFailedEventDetails?: { readonly error?: string; readonly cause?: string };
}

/** What the CDK adds about itself, and resources whose properties are their own. */
const NOT_REGISTERED = /^AWS::(CDK::|CloudFormation::CustomResource$)/;

const historyOf = async (account: Account, executionArn: string): Promise<readonly HistoryEvent[]> =>
  (
    await account.aws<{ events: readonly HistoryEvent[] }>('stepfunctions get-execution-history', {
      'execution-arn': executionArn,
    })
  ).events;

export const PROPERTIES: Step = step(
  'properties',
  'the registry of this Region knows every property of the template',
  async (account) => {
    const { root } = account.place;
    const { code, stdout, stderr } = await cdk(account, root, 'synth --json', { deployment: 'current' });
    must(code === 0, `cdk synth: ${stderr}`);
    const { Resources } = JSON.parse(stdout) as {
      Resources: Readonly<Record<string, { Type: string; Properties?: object }>>;
    };
    const used = new Map<string, Set<string>>();
    for (const { Type, Properties = {} } of Object.values(Resources)) {
      if (!Type.startsWith('AWS::') || NOT_REGISTERED.test(Type)) continue;
      used.set(Type, new Set([...(used.get(Type) ?? []), ...Object.keys(Properties)]));
    }
    const unknown: string[] = [];
    for (const [type, names] of used) {
      const { Schema } = await account.aws<DescribedType>('cloudformation describe-type', {
        type: 'RESOURCE',
        'type-name': type,
      });
      const { properties } = JSON.parse(Schema) as { properties: object };
      for (const name of names) if (!Object.hasOwn(properties, name)) unknown.push(`${type}.${name}`);
    }
    return { types: used.size, unknown };
  },
  ({ types, unknown }) => {
    must(unknown.length === 0, `this Region does not know ${unknown.join(', ')}`);
    return `${String(types)} types`;
  },
);

export const ALIASES: Step = step(
  'aliases',
  'lambda:invoke takes the aliases of $LATEST',
  async (account) => {
    const aliases = await account.resources('AWS::Lambda::Alias');
    const versions: string[] = [];
    for (const { PhysicalResourceId: arn = '' } of aliases) {
      const [functionName = '', name = ''] = arn.split(':').slice(-2);
      const { FunctionVersion } = await account.aws<{ FunctionVersion: string }>('lambda get-alias', {
        'function-name': functionName,
        name: name,
      });
      versions.push(FunctionVersion);
    }
    const { executions } = await account.aws<{ executions: readonly { executionArn: string }[] }>(
      'stepfunctions list-executions',
      {
        'state-machine-arn': account.stateMachine('Archive'),
        'status-filter': 'SUCCEEDED',
        'max-results': '1',
      },
    );
    const events = await historyOf(account, executions[0]?.executionArn ?? '');
    const invoked = events
      .map(({ taskScheduledEventDetails: details }) => details?.parameters)
      .filter((parameters) => parameters !== undefined)
      .map((parameters) => (JSON.parse(parameters) as { FunctionName: string }).FunctionName);
    return { versions, byAlias: invoked.filter((arn) => arn.split(':').length === 8) };
  },
  ({ versions, byAlias }) => {
    must(
      versions.length > 0 && versions.every((version) => version === '$LATEST'),
      `versions ${versions.join()}`,
    );
    must(byAlias.length > 0, 'the run invoked no function by an alias');
    return `${String(versions.length)} aliases, of which a run invoked ${String(byAlias.length)}`;
  },
);

export const ASLEEP: Step = step(
  'asleep',
  'under which name a function that Lambda put to sleep refuses its first call',
  async (account) => {
    const asleep: string[] = [];
    for (const { PhysicalResourceId: name = '' } of await account.resources('AWS::Lambda::Function')) {
      const { State } = await account.aws<{ State: string }>('lambda get-function-configuration', {
        'function-name': name,
      });
      if (State === 'Inactive') asleep.push(name);
    }
    if (asleep.length === 0) return { asleep };
    const run = await account.execute('Archive', { dryRun: true });
    return { asleep, run, events: await historyOf(account, run.executionArn) };
  },
  ({ asleep, run, events = [] }) => {
    if (run === undefined) {
      return 'no function sleeps yet: with --keep, run --only asleep --yes again after some weeks';
    }
    const refusals = events.flatMap(({ taskFailedEventDetails: details }) => details?.error ?? []);
    must(run.status === 'SUCCEEDED', `the run ended as ${run.status}, after ${refusals.join(', ')}`);
    return `${String(asleep.length)} slept; refused as ${[...new Set(refusals)].join(', ') || 'nothing'}; the run succeeded`;
  },
);
