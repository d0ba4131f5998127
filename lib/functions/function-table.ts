import { Duration } from 'aws-cdk-lib';
import type { StepFunction } from './step-function.ts';
import { STEPS, type Step } from './steps.ts';

/** A function and the steps that it runs. */
interface FunctionSteps {
  /** For people who look at the function in the console. */
  readonly description: string;
  /**
   * Steps by who invokes them. Where these are several, each group has an alias of this name, and the function refuses a
   * step that is asked for by the alias of another group.
   */
  readonly steps: Readonly<Record<string, readonly Step[]>>;
}

const one = (step: Step): FunctionSteps => ({
  description: STEPS[step].description,
  steps: { all: [step] },
});

/**
 * Which function runs which steps: one function for each set of rights. What is told apart though its rights are the
 * same: detection and maintenance, export and the record of a failure.
 */
export const FUNCTIONS = {
  preflight: one('preflight'),
  'explain-unavailable': one('explain-unavailable'),
  maintenance: {
    description:
      'Runs the maintenance of pg_partman, fences partitions, and changes the ledger as an operator asks',
    steps: {
      archive: ['maintain', 'quarantine'],
      resume: ['resume'],
      release: ['release'],
      'upgrade-ledger': ['upgrade-ledger'],
      adopt: ['adopt'],
      reverify: ['reverify-begin'],
    },
  },
  detection: one('detect'),
  export: one('export'),
  stream: one('stream'),
  verification: one('verify'),
  commit: one('commit'),
  drop: one('drop'),
  records: {
    description: 'Sums up executions, records failures and good audits, and is the heartbeat',
    steps: {
      failures: ['record-failure'],
      archive: ['page-facts', 'report'],
      heartbeat: ['heartbeat'],
      reverify: ['reverify-plan', 'reverify-report'],
      audit: ['record-audit'],
      convert: ['begin-listing', 'end-listing', 'find-leftovers'],
    },
  },
  'manifest-search': {
    description: 'Finds archives by their manifests',
    steps: {
      find: ['find'],
      audit: ['audit-next'],
      convert: ['convert-next', 'convert-report'],
      heartbeat: ['late-copies'],
    },
  },
  'archive-reading': {
    description: 'Reads archives, for audits and to plan restores',
    steps: {
      audit: ['audit-archive', 'audit-segments'],
      restore: ['plan-restore'],
      drill: ['select-archive'],
    },
  },
  conversion: {
    description: 'Makes Parquet copies of archives, and proves them before it uploads them',
    steps: { all: ['begin-conversion', 'convert-segment', 'finish-conversion'] },
  },
  catalog: {
    description: 'Makes the Glue database show archives as the ledger says, and no others',
    steps: { all: ['list-archives', 'catalog-page'] },
  },
  page: one('put-page'),
  'audit-verdicts': {
    description: 'Says whether one archive is intact, or why it could not be audited',
    steps: { all: ['audit-verdict', 'audit-failure'] },
  },
  retrieval: one('retrieve'),
  'begin-restore': {
    description: 'Begins restores, and imports segments',
    steps: { all: ['find-restore', 'begin-restore', 'import'] },
  },
  restore: {
    description: 'Builds and proves restored tables, and publishes them',
    steps: {
      table: ['build', 'prove'],
      restore: ['publish', 'attach', 'record-restore-failure', 'report-restore'],
      drill: ['finish-drill', 'cancel-drill'],
    },
  },
  'reverify-segment': one('reverify-segment'),
  'reverify-finish': one('reverify-finish'),
  'prepare-database': one('prepare-database'),
  administration: {
    description: 'Looks at tables and makes partition sets out of them',
    steps: { inspect: ['inspect'], 'partition-table': ['partition-table'] },
  },
} as const satisfies Record<string, FunctionSteps>;

export type FunctionName = keyof typeof FUNCTIONS;

export const FUNCTION_NAMES = Object.keys(FUNCTIONS) as readonly FunctionName[];

/** Where a step is run: the function, and its alias where it has some. */
interface Place {
  readonly name: FunctionName;
  readonly alias: string | undefined;
}

/** The steps of a function, each with the alias that it is asked for by. */
export function stepsOf(name: FunctionName): readonly (readonly [step: Step, alias: string | undefined])[] {
  const groups = Object.entries<readonly Step[]>(FUNCTIONS[name].steps);
  return groups.flatMap(([group, steps]) =>
    steps.map((step) => [step, groups.length > 1 ? group : undefined] as const),
  );
}

const PLACES = new Map<Step, Place>(
  FUNCTION_NAMES.flatMap((name) => stepsOf(name).map(([step, alias]) => [step, { name, alias }] as const)),
);

/** The function of a step. */
export function placeOf(step: Step): Place {
  const place = PLACES.get(step);
  if (place === undefined) throw new Error(`step ${step} has no function`);
  return place;
}

/** How a function is deployed: with the rights of its steps, which are the same, and as much time as the longest needs. */
export function deploymentOf(name: FunctionName): StepFunction {
  const steps = stepsOf(name).map(([step]) => STEPS[step]);
  const [first] = steps;
  if (first === undefined) throw new Error(`function ${name} has no step`);
  return {
    ...first,
    description: FUNCTIONS[name].description,
    timeout: Duration.seconds(Math.max(...steps.map(({ timeout }) => timeout.toSeconds()))),
    memoryMiB: Math.max(...steps.map(({ memoryMiB }) => memoryMiB)),
  };
}

/** What a function's environment says of its steps, for `lambdas/runtime/serve.ts`. */
export function servedSteps(name: FunctionName): string {
  return JSON.stringify(
    Object.fromEntries(
      stepsOf(name).map(([step, alias]) => [
        step,
        { seconds: STEPS[step].timeout.toSeconds(), ...(alias === undefined ? {} : { alias }) },
      ]),
    ),
  );
}
