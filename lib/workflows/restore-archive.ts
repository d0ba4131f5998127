import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { ArchiverFunctions } from '../functions/functions.ts';
import { childExecutions } from './maps.ts';
import { stepTask } from './step-task.ts';

/** Labels of the Maps, which are part of the names of their child executions. */
export const RESTORE_MAP_LABELS = { archive: 'Archive', segment: 'Segment', range: 'Range' } as const;

/** How the steps from the archive to the proven table stand in a workflow. */
export interface RestoreArchiveStepsProps {
  readonly functions: ArchiverFunctions;
  /** Segments imported, and ranges read, at the same time. */
  readonly segmentConcurrency: number;
  /** Paths of the archive, of how it is retrieved, and of the execution's name. */
  readonly archive: Readonly<Record<'archive.$' | 'retrieval.$' | 'execution.$', string>>;
  /** What `find-restore` and `begin-restore` are told besides. */
  readonly options: Readonly<Record<string, string>>;
  /** Where a step that failed leads to. */
  readonly onFailure: sfn.IChainable;
  /** What follows the proof. */
  readonly proven: sfn.IChainable;
  /** What follows where the table was published before. */
  readonly published: sfn.IChainable;
}

/**
 * From an archive in S3 to a table that is proven and not visible yet: what *Restore* and *Drill* have in
 * common. Every step stands in the database, and finds what an earlier execution has done.
 */
export function restoreArchiveSteps(scope: Construct, props: RestoreArchiveStepsProps): sfn.IChainable {
  const { functions, archive } = props;
  const restore = {
    'archive.$': archive['archive.$'],
    'execution.$': archive['execution.$'],
    ...props.options,
  };
  const find = stepTask(scope, functions, 'find-restore', {
    comment: 'Looks what an earlier execution has done, so that nothing is retrieved in vain.',
    payload: restore,
    resultPath: '$.step',
  });
  const retrieve = stepTask(scope, functions, 'retrieve', {
    comment:
      'Looks whether the objects that are left to import can be read; asks S3 for copies of what lies in a Glacier tier.',
    payload: { ...archive, 'segments.$': '$.step.Payload.segments' },
    resultPath: '$.retrieved',
  });
  const waitForGlacier = new sfn.Wait(scope, 'WaitForGlacier', {
    comment: 'S3 takes minutes (Expedited), hours (Standard) or up to two days (Bulk).',
    time: sfn.WaitTime.secondsPath('$.retrieved.Payload.waitSeconds'),
  });
  const begin = stepTask(scope, functions, 'begin-restore', {
    comment:
      'Checks manifest, objects, dependencies, target and parent, then makes the bare table out of sight.',
    payload: restore,
    resultPath: '$.step',
  });
  const forEachSegment = mapOf(scope, 'ForEachSegment', props, {
    comment: 'Those that are not imported yet, each in a transaction that also records it.',
    label: RESTORE_MAP_LABELS.segment,
    itemsPath: '$.step.Payload.segments',
    item: 'segmentNumber',
    steps: oneStep(scope, functions, 'import', 'SegmentImported', {
      comment:
        'The objects of this segment are read by aws_s3, or by this function where no set uses aws_s3.',
      payload: {
        'restoreId.$': '$.restoreId',
        'segmentNumber.$': '$.segmentNumber',
        'execution.$': '$.execution',
        by: functions.has('export') ? 'aws_s3' : 'stream',
      },
    }),
    execution: archive['execution.$'],
  });
  const build = stepTask(scope, functions, 'build', {
    comment: 'Keys, indexes, statistics, triggers, comments; the server finishes one that takes long.',
    payload: { 'restoreId.$': '$.step.Payload.restoreId', 'execution.$': archive['execution.$'] },
    resultPath: '$.built',
  });
  const waitForIndex = new sfn.Wait(scope, 'WaitForIndex', {
    comment: 'The server still builds an index of an earlier call.',
    time: sfn.WaitTime.secondsPath('$.built.Payload.waitSeconds'),
  });
  const forEachRange = mapOf(scope, 'ForEachRange', props, {
    comment: 'Ranges of heap blocks of the restored table that are not read yet.',
    label: RESTORE_MAP_LABELS.range,
    itemsPath: '$.built.Payload.ranges',
    item: 'range',
    steps: oneStep(scope, functions, 'prove', 'RangeRead', {
      comment: 'Reads the range again and records its rows, bytes and line-hash sum.',
      payload: { 'restoreId.$': '$.restoreId', 'range.$': '$.range', 'execution.$': '$.execution' },
    }),
    execution: archive['execution.$'],
  });
  for (const state of [find, retrieve, begin, forEachSegment, build, forEachRange]) {
    state.addCatch(props.onFailure, { resultPath: '$.failure' });
  }

  const readable = new sfn.Choice(scope, 'Readable?', {
    comment: 'What lies in a Glacier tier is waited for.',
  });
  const published = new sfn.Choice(scope, 'Published before?', {
    comment: 'A published table needs nothing of S3.',
  });
  const whatIsThere = new sfn.Choice(scope, 'What is there?', {
    comment: 'A table that another execution has published meanwhile is not made again.',
  });
  const whatIsLeft = new sfn.Choice(scope, 'What is left to build?', {
    comment: 'More statements, one that is still run by the server, or nothing.',
  });
  find.next(
    published
      .when(sfn.Condition.stringEquals('$.step.Payload.next', 'attach'), props.published)
      .otherwise(retrieve),
  );
  retrieve.next(
    readable
      .when(sfn.Condition.booleanEquals('$.retrieved.Payload.readable', true), begin)
      .otherwise(waitForGlacier.next(retrieve)),
  );
  begin.next(
    whatIsThere
      .when(sfn.Condition.stringEquals('$.step.Payload.next', 'attach'), props.published)
      .otherwise(forEachSegment),
  );
  forEachSegment
    .next(build)
    .next(
      whatIsLeft
        .when(sfn.Condition.stringEquals('$.built.Payload.next', 'build'), build)
        .when(sfn.Condition.stringEquals('$.built.Payload.next', 'wait'), waitForIndex.next(build))
        .otherwise(forEachRange),
    );
  forEachRange.next(props.proven);
  return find;
}

/** A child execution for each number of a list. Its results are nothing, so that any number of them fit. */
function mapOf(
  scope: Construct,
  id: string,
  { segmentConcurrency }: RestoreArchiveStepsProps,
  {
    comment,
    label,
    itemsPath,
    item,
    steps,
    execution,
  }: {
    readonly comment: string;
    readonly label: string;
    readonly itemsPath: string;
    readonly item: string;
    readonly steps: sfn.IChainable;
    readonly execution: string;
  },
): sfn.DistributedMap {
  return childExecutions(scope, id, {
    comment,
    items: itemsPath,
    item: {
      'restoreId.$': '$.step.Payload.restoreId',
      [`${item}.$`]: '$$.Map.Item.Value',
      'execution.$': execution,
    },
    atOnce: segmentConcurrency,
    label,
    steps,
    resultPath: sfn.JsonPath.DISCARD,
  });
}

function oneStep(
  scope: Construct,
  functions: ArchiverFunctions,
  step: 'import' | 'prove',
  doneId: string,
  { comment, payload }: { readonly comment: string; readonly payload: Readonly<Record<string, string>> },
): sfn.IChainable {
  const done = new sfn.Pass(scope, doneId, {
    comment: 'It stands in the database; nothing travels back.',
    result: sfn.Result.fromObject({}),
  });
  return stepTask(scope, functions, step, { comment, payload, resultPath: sfn.JsonPath.DISCARD }).next(done);
}
