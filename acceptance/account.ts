import type { Ended, Ports } from './ports.ts';
import { STACK, SURROUNDINGS } from './terms.ts';

/** Where it runs. */
export interface Place {
  readonly accountId: string;
  readonly partition: string;
  readonly region: string;
  /** Folder of this repository, and one of its own for what it writes. */
  readonly root: string;
  readonly scratch: string;
  /** Git reference of the version that is deployed first. */
  readonly previous: string;
  /** Qualifier of the CDK's bootstrap. */
  readonly qualifier: string;
  /** Two availability zones; by default those that have the database's instance class. */
  readonly zones?: readonly string[] | undefined;
}

/** A stack as CloudFormation describes it. */
export interface DescribedStack {
  readonly StackStatus: string;
  readonly Outputs?: readonly { readonly OutputKey: string; readonly OutputValue: string }[];
}

/** A resource of a stack, as CloudFormation lists it. */
export interface StackResource {
  readonly LogicalResourceId: string;
  readonly PhysicalResourceId?: string;
  readonly ResourceType: string;
  readonly ResourceStatus: string;
}

/** How an execution of a state machine ended, as Step Functions describes it. */
export interface Execution {
  readonly executionArn: string;
  readonly status: string;
  readonly output?: string;
  readonly error?: string;
  readonly cause?: string;
}

type CliOptions = Readonly<Record<string, string | readonly string[] | true>>;

const SECONDS_BETWEEN_LOOKS = 15;

/** The AWS account, by the AWS CLI: who deploys has it, and its login, already. */
export class Account {
  readonly ports: Ports;
  readonly place: Place;

  constructor(ports: Ports, place: Place) {
    this.ports = ports;
    this.place = place;
  }

  /** Runs a program and returns how it ended; throws its last lines unless it succeeded. */
  async program(program: string, args: readonly string[], folder?: string): Promise<Ended> {
    const ended = await this.ports.run(program, args, folder);
    if (ended.code === 0) return ended;
    const said = (ended.stderr.trim() || ended.stdout.trim()).split('\n').slice(-5).join('\n');
    throw new Error(`${program} ${args.slice(0, 3).join(' ')}: ${said}`);
  }

  /** Runs the AWS CLI in the Region. Options have the names of the CLI; `true` is one without a value, a list has several. */
  cli(command: string, options: CliOptions = {}): Promise<Ended> {
    return this.program('aws', this.cliArguments(command, options));
  }

  /** Calls AWS and returns its answer. The CLI prints nothing where there is nothing to tell. */
  async aws<Answer>(command: string, options: CliOptions = {}): Promise<Answer> {
    const { stdout } = await this.cli(command, { ...options, output: 'json' });
    return (stdout.trim() === '' ? {} : JSON.parse(stdout)) as Answer;
  }

  /** Asks AWS for something that may not be there: `undefined` where it refuses with this text. */
  async find<Answer>(command: string, options: CliOptions, missing: string): Promise<Answer | undefined> {
    try {
      return await this.aws<Answer>(command, options);
    } catch (error) {
      if (error instanceof Error && error.message.includes(missing)) return undefined;
      throw error;
    }
  }

  private cliArguments(command: string, options: CliOptions): string[] {
    const named = Object.entries<CliOptions[string]>({ ...options, region: this.place.region });
    return [
      ...command.split(' '),
      ...named.flatMap(([name, value]) =>
        value === true ? [`--${name}`] : [`--${name}`, ...[value].flat()],
      ),
    ];
  }

  /** Looks every so often until there is something. */
  async until<Found>(what: string, minutes: number, look: () => Promise<Found | undefined>): Promise<Found> {
    for (let seconds = 0; seconds <= minutes * 60; seconds += SECONDS_BETWEEN_LOOKS) {
      const found = await look();
      if (found !== undefined) return found;
      await this.ports.pause(SECONDS_BETWEEN_LOOKS);
    }
    throw new Error(`${what} is not there after ${String(minutes)} minutes`);
  }

  /** `undefined` where there is no stack of this name. */
  async stack(name: string): Promise<DescribedStack | undefined> {
    const found = await this.find<{ Stacks: readonly DescribedStack[] }>(
      'cloudformation describe-stacks',
      { 'stack-name': name },
      'does not exist',
    );
    return found?.Stacks[0];
  }

  /** Outputs of the surroundings, by name. */
  async surroundings(): Promise<(name: string) => string> {
    const outputs = (await this.stack(SURROUNDINGS))?.Outputs ?? [];
    return (name) => {
      const value = outputs.find(({ OutputKey }) => OutputKey === name)?.OutputValue;
      if (value === undefined || value === '') throw new Error(`${SURROUNDINGS} has no output ${name}`);
      return value;
    };
  }

  /** Resources of a stack, of one type; of a deleted stack by its id. */
  async resources(type: string, stack: string = STACK): Promise<readonly StackResource[]> {
    const { StackResourceSummaries } = await this.aws<{ StackResourceSummaries: readonly StackResource[] }>(
      'cloudformation list-stack-resources',
      { 'stack-name': stack },
    );
    return StackResourceSummaries.filter(({ ResourceType }) => ResourceType === type);
  }

  /** The physical id of the one resource of the archiver that has this type and whose logical id begins so. */
  async physicalId(type: string, logicalId = ''): Promise<string> {
    const found = (await this.resources(type)).filter((each) => each.LogicalResourceId.startsWith(logicalId));
    const [{ PhysicalResourceId: id } = {}] = found;
    if (found.length !== 1 || id === undefined) {
      throw new Error(`the stack has ${String(found.length)} resources ${type} ${logicalId}, not one`);
    }
    return id;
  }

  /** Runs one statement by the Data API, which needs no way into the VPC. */
  async sql<Row>(statement: string): Promise<readonly Row[]> {
    const of = await this.surroundings();
    const { formattedRecords = '[]' } = await this.aws<{ formattedRecords?: string }>(
      'rds-data execute-statement',
      {
        'resource-arn': of('ClusterArn'),
        'secret-arn': of('AdminSecretArn'),
        database: 'shop',
        'format-records-as': 'JSON',
        sql: statement,
      },
    );
    return JSON.parse(formattedRecords) as readonly Row[];
  }

  /** Starts a workflow of the archiver by the name that README gives it, and waits for its end. */
  async execute(workflow: string, input: object, minutes = 30): Promise<Execution> {
    const { executionArn } = await this.aws<{ executionArn: string }>('stepfunctions start-execution', {
      'state-machine-arn': this.stateMachine(workflow),
      input: JSON.stringify(input),
    });
    return this.until(`the end of ${workflow}`, minutes, async () => {
      const execution = await this.aws<Execution>('stepfunctions describe-execution', {
        'execution-arn': executionArn,
      });
      return execution.status === 'RUNNING' ? undefined : execution;
    });
  }

  stateMachine(workflow: string): string {
    const { partition, region, accountId } = this.place;
    return `arn:${partition}:states:${region}:${accountId}:stateMachine:${STACK}-${workflow}`;
  }
}

/** The output of an execution that succeeded. */
export function outputOf({ status, output, error, cause }: Execution): unknown {
  if (status === 'SUCCEEDED' && output !== undefined) return JSON.parse(output);
  throw new Error([`the execution ended as ${status}`, error, cause].filter(Boolean).join(': '));
}
