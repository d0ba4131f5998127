import { counted } from '../../core/counted.ts';
import { asSentence } from '../../core/in-one-line.ts';
import { displayName, type LedgerRow } from '../../core/partition.ts';
import type { RunReport } from '../../core/archive/report.ts';
import type { RestoreReport } from '../../core/restore/report.ts';
import type { CommandOptions } from './command.ts';
import { tableLines, wrap } from './terminal/table.ts';

type Say = (line: string) => void;

/** What a run did, or would do. */
export function presentRun(report: RunReport, options: CommandOptions, say: Say): void {
  if (options['dry-run'] === true) {
    presentForecast(report, say);
    return;
  }
  say(report.summary);
  for (const { partition, state, rows, bytes, manifest } of report.partitions) {
    say(
      `  ${partition}: ${state}, ${counted(rows ?? 0, 'row')}, ${counted(bytes ?? 0, 'byte')}${manifest === null ? '' : `, ${manifest}`}`,
    );
  }
  for (const { partitionSet, warnings } of report.partitionSets) {
    for (const warning of warnings) say(`  ${partitionSet}: ${warning}`);
  }
  for (const { id, partition, code, message, hint = '' } of report.blocked.partitions) {
    say(
      `  ${partition}: still blocked (id ${String(id)}), ${asSentence(`${code}: ${message}`)} ${hint}`.trimEnd(),
    );
  }
  const unlisted = report.blocked.total - report.blocked.partitions.length;
  if (unlisted > 0) say(`  and ${String(unlisted)} more are blocked: npm run archive -- status`);
  for (const table of report.notDue) say(`  ${table}: detached, but not past the retention yet; left alone`);
}

function presentForecast({ forecast = [], drops = [], partitionSets }: RunReport, say: Say): void {
  const leaving = forecast.filter(({ keptBy }) => keptBy === null);
  const also = drops.length === 0 ? '' : ` and drop ${String(drops.length)} that are archived`;
  say(`a run would archive ${counted(leaving.length, 'partition')}${also}; nothing was changed`);
  for (const { partition, lowerBound, upperBound, attached, rows, bytes, segments, keptBy } of forecast) {
    const size = rows === null ? 'never analyzed' : `about ${counted(rows, 'row')}`;
    const what =
      keptBy === null
        ? `${size}, ${counted(bytes, 'byte')}, ${counted(segments, 'segment')}${attached ? '' : ', detached already'}`
        : `stays attached, since ${keptBy}`;
    say(`  ${partition} [${lowerBound}, ${upperBound}): ${what}`);
  }
  for (const { partition, lowerBound, upperBound, rows } of drops)
    say(
      `  ${partition} [${lowerBound}, ${upperBound}): archived with ${counted(rows, 'row')}, to be dropped`,
    );
  if (leaving.length > 0) {
    say('for each of them:');
    if (leaving.some(({ attached }) => attached))
      say('    alter table … detach partition …, one by one, after the future partitions were made');
    say('    alter table … set schema partition_archiver_quarantine, behind a fence');
    say('    copy (…) of each segment to S3, by aws_s3 or as a stream, and copy (…) to stdout to prove it');
    say('    drop table … restrict, where the configuration lets it and the grace period is over');
  }
  for (const { partitionSet, error } of partitionSets)
    if (error !== undefined) say(`  ${partitionSet}: ${error.code}, ${error.message}`);
}

/** The ledger as a table of `width` columns, with the remarks on each row below it. */
export function presentLedger(rows: readonly LedgerRow[], width: number | undefined, say: Say): void {
  const cells = rows.map((row) => [
    String(row.id),
    displayName(row.schema, row.table),
    row.state,
    row.period,
    String(row.rows ?? ''),
  ]);
  const [head = '', ...lines] = tableLines([['id', 'partition', 'state', 'period', 'rows'], ...cells], width);
  say(head);
  for (const [index, row] of rows.entries()) {
    say(lines[index] ?? '');
    const remarks = [
      ...(row.dropAfter !== null && row.state === 'verified'
        ? [`drop after ${row.dropAfter.toISOString()}`]
        : []),
      ...(row.blockedReason === null ? [] : [`${row.blockedCode ?? ''}: ${row.blockedReason}`]),
      // What blocked it is what failed.
      ...(row.failedReason === null || row.failedReason === row.blockedReason
        ? []
        : [`${row.failedCode ?? ''}: ${row.failedReason}`]),
    ];
    for (const remark of remarks) for (const line of wrap(remark, '       ', width)) say(line);
  }
}

/** What a restore of several archives brought back. */
export function presentRestore({ summary, archives }: RestoreReport, say: Say): void {
  say(summary);
  for (const { manifest, table = '', rows = 0, attachedTo, warnings = [], unmade = [] } of archives) {
    const where = attachedTo === undefined ? '' : `, attached to ${attachedTo}`;
    say(`  ${table}: ${counted(rows, 'row')}${where}, ${manifest}`);
    for (const line of [...warnings, ...unmade]) say(`    ${line}`);
  }
}
