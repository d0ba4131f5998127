import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { ArchiverFunctions } from '../functions/functions.ts';
import { archivePages, childExecutions } from './maps.ts';
import { stepTask } from './step-task.ts';
import { makeWorkflow, type WorkflowContext } from './state-machine.ts';

/** Labels of the Maps, which are part of the names of their child executions. */
const LABELS = { archive: 'Archive', segment: 'Segment' } as const;

/** At the same time: eight functions of one processor in all. The account's Lambda concurrency is shared with others. */
const ARCHIVES_AT_ONCE = 2;
const SEGMENTS_AT_ONCE = 4;

/**
 * The workflow *Convert*: a Parquet copy of each archive that has none, of the sets with `query`. It comes after the commit,
 * and changes nothing that archives, proofs or drops look at. The conversion needs no database; with `glueDatabase`, the
 * listing that follows asks the ledger which archives may be shown.
 */
export class ConvertWorkflow extends Construct {
  readonly stateMachine: sfn.StateMachine;

  constructor(scope: Construct, id: string, context: WorkflowContext) {
    super(scope, id);
    const { functions } = context;
    const lists = functions.has('list-archives');
    const report = stepTask(this, functions, 'convert-report', {
      comment: 'Sums up what was converted. Fails the execution if an archive was not.',
      payload: {
        'progress.$': '$.turn.Payload.progress',
        ...(lists
          ? { 'listing.$': '$.listing.Payload.progress', 'leftovers.$': '$.shown.Payload.leftovers' }
          : {}),
        'execution.$': '$.execution',
      },
      resultPath: '$.report',
    });
    const done = new sfn.Succeed(this, 'Done', {
      comment: 'The output of the execution is the report.',
      outputPath: '$.report.Payload',
    });
    this.stateMachine = makeWorkflow(this, 'Convert', {
      comment:
        'Makes a Parquet copy, proven equal to the text, of each archive that has none. All fields of the input are optional: {"partitionSet": "public.orders", "from": "2021-01", "to": "2021-04", "database": "<a former name of it>", "withdraw": ["<id of an archive>"]}; without them, of all partition sets with "query": true. With "withdraw" it takes these archives out of the Glue database, for good, and converts nothing',
      definition: archivePages(this, functions, {
        step: 'convert-next',
        firstComment: 'Reads the input and names the first archives that have no copy.',
        nextComment: 'Adds up what was converted and names the next archives.',
        results: 'results',
        // A child that an operator stops has no result to count, and fails the Map.
        forEachArchive: {
          comment: 'A child execution for each archive. One that is not converted does not stop the others.',
          item: { 'manifestKey.$': '$$.Map.Item.Value', 'execution.$': '$.execution' },
          atOnce: ARCHIVES_AT_ONCE,
          label: LABELS.archive,
          steps: archiveSteps(this, functions),
        },
        after: lists ? listingSteps(this, functions, report.next(done)) : report.next(done),
      }),
      timeout: Duration.days(14),
      mapLabels: Object.values(LABELS),
      ...context,
    });
  }
}

/**
 * Makes the Glue database show what it should, page by page: exactly the archives that have a copy and whose rows are not in
 * the database. The ledger is told before and after, by another function: this one has no login, that one no rights in Glue.
 */
function listingSteps(scope: Construct, functions: ArchiverFunctions, then: sfn.IChainable): sfn.IChainable {
  const first = stepTask(scope, functions, 'begin-listing', {
    stateName: 'FirstListing',
    comment:
      'Withdraws what the input names, and names the first archives whose rows are not in the database.',
    payload: { 'input.$': '$.input', 'execution.$': '$.execution' },
    resultPath: '$.listing',
  });
  const list = stepTask(scope, functions, 'list-archives', {
    comment: 'Takes partitions out of the Glue database, and only then adds those of these archives.',
    payload: {
      'archives.$': '$.listing.Payload.archives',
      'until.$': '$.listing.Payload.until',
      'progress.$': '$.listed',
      'execution.$': '$.execution',
    },
    resultPath: '$.done',
  });
  const end = stepTask(scope, functions, 'end-listing', {
    comment: 'Records that no call to Glue is under way any more.',
    payload: { 'archives.$': '$.done.Payload.shown', 'execution.$': '$.execution' },
    resultPath: sfn.JsonPath.DISCARD,
  });
  const next = stepTask(scope, functions, 'begin-listing', {
    stateName: 'NextListing',
    comment: 'Names the next archives whose rows are not in the database.',
    payload: {
      'input.$': '$.input',
      'after.$': '$.listing.Payload.after',
      'progress.$': '$.done.Payload.progress',
      'execution.$': '$.execution',
    },
    resultPath: '$.listing',
  });
  const nothing = new sfn.Pass(scope, 'NothingListed', {
    comment: 'What was listed so far.',
    result: sfn.Result.fromObject({ listed: 0, withdrawn: 0, failed: 0, problems: [] }),
    resultPath: '$.listed',
  });
  const keep = new sfn.Pass(scope, 'Listed', {
    comment: 'Adds up what was listed.',
    inputPath: '$.done.Payload.progress',
    resultPath: '$.listed',
  });
  const more = new sfn.Choice(scope, 'Archives to list?', { comment: 'They come by the hundred.' });
  more
    .when(
      sfn.Condition.stringEquals('$.listing.Payload.next', 'list'),
      list.next(end).next(keep).next(next).next(more),
    )
    .otherwise(leftoverSteps(scope, functions, then));
  return nothing.next(first).next(more);
}

/** Looks at all that the Glue database shows, from any source, and takes out what the ledger does not list. */
function leftoverSteps(scope: Construct, functions: ArchiverFunctions, then: sfn.IChainable): sfn.IChainable {
  const first = stepTask(scope, functions, 'catalog-page', {
    stateName: 'FirstShown',
    comment: 'Names the first partitions that the Glue database shows.',
    payload: { 'execution.$': '$.execution' },
    resultPath: '$.shown',
  });
  const check = stepTask(scope, functions, 'find-leftovers', {
    comment: 'Asks the ledger which of them are not listed.',
    payload: { 'partitions.$': '$.shown.Payload.partitions', 'execution.$': '$.execution' },
    resultPath: '$.unlisted',
  });
  const next = stepTask(scope, functions, 'catalog-page', {
    stateName: 'NextShown',
    comment: 'Takes those out, and names the next ones.',
    payload: {
      'after.$': '$.shown.Payload.after',
      'remove.$': '$.unlisted.Payload',
      'leftovers.$': '$.shown.Payload.leftovers',
      'execution.$': '$.execution',
    },
    resultPath: '$.shown',
  });
  const more = new sfn.Choice(scope, 'Partitions to check?', { comment: 'They come by the hundred.' });
  more
    .when(sfn.Condition.stringEquals('$.shown.Payload.next', 'check'), check.next(next).next(more))
    .otherwise(then);
  return first.next(more);
}

/** What is done with one archive: its result says what became of it, whatever happens. */
function archiveSteps(scope: Construct, functions: ArchiverFunctions): sfn.IChainable {
  const failed = new sfn.Pass(scope, 'ArchiveNotConverted', {
    comment: 'Only the name of the error travels back; the log has its message. The archive is as it was.',
    parameters: { 'manifestKey.$': '$.manifestKey', 'failed.$': '$.failure.Error' },
  });
  const begin = stepTask(scope, functions, 'begin-conversion', {
    comment: 'Looks whether there is a copy and the text can be read; lists the segments.',
    payload: { 'manifestKey.$': '$.manifestKey', 'execution.$': '$.execution' },
    resultPath: '$.step',
  });
  const forEachSegment = childExecutions(scope, 'ForEachSegment', {
    comment: 'A child execution for each segment, which is what a function has time and disk for.',
    items: '$.step.Payload.segments',
    item: {
      'attempt.$': '$.step.Payload.attempt',
      'segmentNumber.$': '$$.Map.Item.Value',
      'execution.$': '$.execution',
    },
    atOnce: SEGMENTS_AT_ONCE,
    label: LABELS.segment,
    steps: segmentSteps(scope, functions),
    resultPath: '$.results',
  });
  const finish = stepTask(scope, functions, 'finish-conversion', {
    comment:
      'Names the next segments; or has all converted again, with columns as text that need it; or writes the manifest of the copy.',
    payload: {
      'attempt.$': '$.step.Payload.attempt',
      'results.$': '$.results',
      'execution.$': '$.execution',
    },
    resultPath: '$.step',
  });
  const whatIsNext = new sfn.Choice(scope, 'Segments to convert?', {
    comment: 'None are, if the archive has its copy.',
  });
  const done = new sfn.Pass(scope, 'ArchiveConverted', {
    comment: 'Only what became of it travels back.',
    parameters: { 'manifestKey.$': '$.manifestKey', 'result.$': '$.step.Payload.result' },
  });
  for (const state of [begin, forEachSegment, finish]) state.addCatch(failed, { resultPath: '$.failure' });
  forEachSegment.next(finish).next(whatIsNext);
  return begin.next(
    whatIsNext
      .when(sfn.Condition.stringEquals('$.step.Payload.next', 'segments'), forEachSegment)
      .otherwise(done),
  );
}

function segmentSteps(scope: Construct, functions: ArchiverFunctions): sfn.IChainable {
  const failed = new sfn.Pass(scope, 'SegmentNotConverted', {
    comment: 'Only the name of the error travels back; the log has its message.',
    parameters: { 'failed.$': '$.failure.Error' },
  });
  const convert = stepTask(scope, functions, 'convert-segment', {
    comment:
      'Reads the text, writes Parquet to the local disk, proves it from there, and only then puts it. A retry writes the same bytes to the same key.',
    payload: { 'attempt.$': '$.attempt', 'segmentNumber.$': '$.segmentNumber', 'execution.$': '$.execution' },
    resultPath: '$.step',
  });
  const done = new sfn.Pass(scope, 'SegmentConverted', {
    comment: 'Nothing, or the columns that have to be text.',
    outputPath: '$.step.Payload',
  });
  convert.addCatch(failed, { resultPath: '$.failure' });
  return convert.next(done);
}
