import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { ArchiverFunctions } from '../functions/functions.ts';
import { archivePages, childExecutions } from './maps.ts';
import { stepTask } from './step-task.ts';
import { makeWorkflow, type WorkflowContext } from './state-machine.ts';

/** Labels of the Maps, which are part of the names of their child executions. */
const LABELS = { archive: 'Archive', range: 'Range' } as const;

/** Read at the same time: S3 has no limit near this, and the account's Lambda concurrency is shared with others. */
const ARCHIVES_AT_ONCE = 4;
const RANGES_AT_ONCE = 4;

/**
 * The workflow *Audit*: reads archives back and compares them with their manifests. It needs no database; the record of a
 * good one, which the alarm for a missed audit looks at, is left out where there is none.
 */
export class AuditWorkflow extends Construct {
  readonly stateMachine: sfn.StateMachine;

  constructor(scope: Construct, id: string, context: WorkflowContext) {
    super(scope, id);
    const { functions } = context;
    const done = new sfn.Succeed(this, 'Done', {
      comment: 'The output of the execution is the report.',
      outputPath: '$.turn.Payload.report',
    });
    const record = stepTask(this, functions, 'record-audit', {
      comment:
        'Records that a whole audit was successful. Without a database the audit is successful all the same.',
      payload: { 'input.$': '$.input', 'report.$': '$.turn.Payload.report', 'execution.$': '$.execution' },
      resultPath: sfn.JsonPath.DISCARD,
    });
    record.addCatch(done, { resultPath: '$.unrecorded' }).next(done);
    this.stateMachine = makeWorkflow(this, 'Audit', {
      comment:
        'Reads archives back and compares every byte with its manifest. All fields of the input are optional: {"partitionSet": "public.orders", "from": "2021-01", "to": "2021-04", "database": "<a former name of it>", "sample": {"archives": 10, "segments": 4}}; without sample everything is read',
      definition: archivePages(this, functions, {
        step: 'audit-next',
        firstComment: 'Reads the input and names the first archives. Nothing is ever changed.',
        nextComment:
          'Adds the verdicts up and names the next archives. At the end, fails if any is not intact.',
        results: 'verdicts',
        // A child that an operator stops has no verdict to count, and fails the Map.
        forEachArchive: {
          comment: 'A child execution for each archive. One that is damaged does not stop the others.',
          item: {
            'manifestKey.$': '$$.Map.Item.Value',
            'segments.$': '$.turn.Payload.segments',
            'execution.$': '$.execution',
          },
          atOnce: ARCHIVES_AT_ONCE,
          label: LABELS.archive,
          steps: archiveSteps(this, functions),
        },
        after: record,
      }),
      timeout: Duration.days(14),
      mapLabels: Object.values(LABELS),
      ...context,
    });
  }
}

/** What is done with one archive: its result is a verdict, whatever happens. */
function archiveSteps(scope: Construct, functions: ArchiverFunctions): sfn.IChainable {
  const failure = stepTask(scope, functions, 'audit-failure', {
    comment: 'No verdict could be reached, or the manifest is not to be trusted.',
    payload: { 'manifestKey.$': '$.manifestKey', 'failure.$': '$.failure', 'execution.$': '$.execution' },
    resultPath: '$.verdict',
  });
  const archive = stepTask(scope, functions, 'audit-archive', {
    comment: 'Checks manifest, current versions and DDL, and says which segments are to be read.',
    payload: { 'manifestKey.$': '$.manifestKey', 'segments.$': '$.segments', 'execution.$': '$.execution' },
    resultPath: '$.begun',
  });
  const forEachRange = childExecutions(scope, 'ForEachRange', {
    comment: 'A child execution for as many neighbouring segments as one function has time to read.',
    items: '$.begun.Payload.ranges',
    item: {
      'manifestKey.$': '$.manifestKey',
      'versionId.$': '$.begun.Payload.versionId',
      'range.$': '$$.Map.Item.Value',
      'execution.$': '$.execution',
    },
    atOnce: RANGES_AT_ONCE,
    label: LABELS.range,
    steps: rangeSteps(scope, functions),
    resultPath: '$.ranges',
  });
  const verdict = stepTask(scope, functions, 'audit-verdict', {
    comment: 'Intact or damaged.',
    payload: { 'begun.$': '$.begun.Payload', 'ranges.$': '$.ranges', 'execution.$': '$.execution' },
    resultPath: '$.verdict',
  });
  const done = new sfn.Pass(scope, 'ArchiveAudited', {
    comment: 'Only the verdict travels back.',
    outputPath: '$.verdict.Payload',
  });
  for (const state of [archive, forEachRange, verdict]) state.addCatch(failure, { resultPath: '$.failure' });
  failure.next(done);
  return archive.next(forEachRange).next(verdict).next(done);
}

function rangeSteps(scope: Construct, functions: ArchiverFunctions): sfn.IChainable {
  const failed = new sfn.Pass(scope, 'RangeNotRead', {
    comment: 'Only the name of the error travels back; the log has its message.',
    parameters: { 'failed.$': '$.failure.Error' },
  });
  const read = stepTask(scope, functions, 'audit-segments', {
    comment: 'Reads each object by its version: length, rows, SHA-256, line-hash sum.',
    payload: {
      'manifestKey.$': '$.manifestKey',
      'versionId.$': '$.versionId',
      'range.$': '$.range',
      'execution.$': '$.execution',
    },
    resultPath: '$.read',
  });
  const done = new sfn.Pass(scope, 'RangeRead', {
    comment: 'How much was read, and what is wrong with it, if anything.',
    outputPath: '$.read.Payload',
  });
  read.addCatch(failed, { resultPath: '$.failure' });
  return read.next(done);
}
