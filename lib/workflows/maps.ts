import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { ArchiverFunctions } from '../functions/functions.ts';
import { stepTask } from './step-task.ts';

/** A Map of child executions. */
export interface ChildExecutionsProps {
  readonly comment: string;
  /** Path of the list. */
  readonly items: string;
  /** Input of a child execution: a template, whose `$$.Map.Item.Value` is the item. */
  readonly item: Readonly<Record<string, unknown>>;
  readonly atOnce: number;
  /** Part of the names of the child executions. */
  readonly label: string;
  readonly steps: sfn.IChainable;
  /** Where the results go; `sfn.JsonPath.DISCARD` for nowhere. */
  readonly resultPath: string;
  /**
   * What is kept of the results, as a template.
   *
   * @default - the list of all results
   */
  readonly resultSelector?: Readonly<Record<string, string>>;
  /**
   * Whether the Map succeeds whatever becomes of its children: failures are caught inside, and what is left is a child that
   * an operator stops. Without it, such a child fails the Map.
   *
   * @default false
   */
  readonly toleratesStops?: boolean;
}

/** A Map whose iterations are executions of their own, each with its own history and redrive. */
export function childExecutions(
  scope: Construct,
  name: string,
  { items, item, atOnce, steps, toleratesStops = false, ...props }: ChildExecutionsProps,
): sfn.DistributedMap {
  return new sfn.DistributedMap(scope, name, {
    ...props,
    itemsPath: items,
    itemSelector: { ...item },
    maxConcurrency: atOnce,
    mapExecutionType: sfn.StateMachineType.STANDARD,
    ...(toleratesStops ? { toleratedFailurePercentage: 100 } : {}),
  }).itemProcessor(steps);
}

/** Work on any number of archives. */
export interface ArchivePagesProps {
  /** The step that names the next archives: `{next: 'archives', archives, progress}`, in the end another `next`. */
  readonly step: 'audit-next' | 'convert-next';
  readonly firstComment: string;
  readonly nextComment: string;
  /** Field of the results, in the input of the step. */
  readonly results: string;
  readonly forEachArchive: Omit<ChildExecutionsProps, 'items' | 'resultPath'>;
  /** What comes after the last archive; the last result of the step is in `$.turn.Payload`. */
  readonly after: sfn.IChainable;
}

/** The states that work on archives page by page, by the hundred, with `$.input` and `$.execution` beside their results. */
export function archivePages(
  scope: Construct,
  functions: ArchiverFunctions,
  { step, firstComment, nextComment, results, forEachArchive, after }: ArchivePagesProps,
): sfn.Chain {
  const begin = new sfn.Pass(scope, 'Begin', {
    comment: 'Keeps the input of the execution beside what comes to it.',
    parameters: { 'input.$': '$', 'execution.$': '$$.Execution.Name' },
  });
  const payload = { 'input.$': '$.input', 'execution.$': '$.execution' };
  const first = stepTask(scope, functions, step, {
    stateName: 'FirstArchives',
    comment: firstComment,
    payload,
    resultPath: '$.turn',
  });
  const next = stepTask(scope, functions, step, {
    stateName: 'NextArchives',
    comment: nextComment,
    payload: {
      ...payload,
      'progress.$': '$.turn.Payload.progress',
      [`${results}.$`]: `$.${results}`,
    },
    resultPath: '$.turn',
  });
  const forEach = childExecutions(scope, 'ForEachArchive', {
    ...forEachArchive,
    items: '$.turn.Payload.archives',
    resultPath: `$.${results}`,
  });
  const more = new sfn.Choice(scope, 'More archives?', {
    comment: 'They come by the hundred, so that any number fits.',
  });
  return begin
    .next(first)
    .next(
      more
        .when(sfn.Condition.stringEquals('$.turn.Payload.next', 'archives'), forEach.next(next).next(more))
        .otherwise(after),
    );
}
