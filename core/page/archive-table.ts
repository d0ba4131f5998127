import { displayName, NOT_COUNTED_WHOLE } from '../partition.ts';
import { shellArgument } from '../shell.ts';
import type { DescribedArchive } from './archives.ts';
import { escape, money, size } from './html.ts';
import { classNameOf, monthly } from './prices.ts';

/** Archives of a set, each with its hashes and how to query and restore it: lines of a table, the latest first. */
export function archiveLines(archives: readonly DescribedArchive[]): string[] {
  return archives.map((archive) => `${summaryLine(archive)}\n${detailLine(archive)}`);
}

/** What stands above them. */
export const ARCHIVE_HEAD =
  '<tr><th scope="col">period<th scope="col">rows<th scope="col">text<th scope="col">Parquet<th scope="col">text lies in<th scope="col">a month</tr>';

function summaryLine({ stored, manifest }: DescribedArchive): string {
  const { period, textBytes, copyBytes, textClasses, paid } = stored;
  const cells = [
    manifest === null ? '?' : String(manifest.contents.rows),
    size(textBytes),
    copyBytes === null ? '–' : size(copyBytes),
    textClasses.map(classNameOf).join(', ') || '–',
    money(monthly(paid)),
  ];
  return `<tr><th scope="row">${escape(period)}${cells.map((cell) => `<td>${escape(cell)}`).join('')}</tr>`;
}

function detailLine(archive: DescribedArchive): string {
  const { stored, manifest, problem, sha256, versionId } = archive;
  const { manifestKey, copyBytes } = stored;
  const facts: [string, string][] = [['manifest', manifestKey]];
  if (manifest === null) facts.push(['problem', problem ?? '']);
  else {
    const { contents, ddl } = manifest;
    facts.push(['version, SHA-256', `${versionId}, ${sha256}`]);
    facts.push(['sum of line hashes', contents.lineHashSum]);
    if (!contents.countedWhole) facts.push(['warning', NOT_COUNTED_WHOLE]);
    facts.push(['DDL, SHA-256', `${ddl.key.split('/').slice(-2).join('/')}, ${ddl.sha256}`]);
    facts.push(
      copyBytes === null ? ['copy', command('convert', manifestKey)] : ['SQL', askCommand(manifest)],
    );
  }
  facts.push(['restore', command('restore', manifestKey)]);
  const lines = facts.map(([name, value]) => `<dt>${name}<dd><code>${escape(value)}</code>`);
  return `<tr><td colspan="6"><dl>${lines.join('')}</dl></tr>`;
}

const command = (...words: string[]): string => `npm run archive -- ${words.map(shellArgument).join(' ')}`;

/** The statement that counts the rows of one archive. */
function askCommand({ source, partition }: NonNullable<DescribedArchive['manifest']>): string {
  const { parentSchema, parentName, lowerBound, upperBound } = partition;
  const set = displayName(parentSchema, parentName);
  const range = ['--from', lowerBound, '--to', upperBound];
  return command(
    'query',
    `select count(*) from ${set}`,
    '--database',
    source.database,
    '--set',
    set,
    ...range,
  );
}
