import { counted } from '../counted.ts';
import type { FindResult, FoundArchive } from './find.ts';
import { truncate, truncateLines, PAYLOAD_BUDGET, TEXT_BUDGET } from '../limits.ts';
import { displayName } from '../partition.ts';

/** One archive, as the output of an execution shows it. */
export interface ShownArchive extends Pick<
  FoundArchive,
  | 'manifestKey'
  | 'period'
  | 'lowerBound'
  | 'upperBound'
  | 'rows'
  | 'bytes'
  | 'archivedAt'
  | 'systemIdentifier'
> {
  readonly partition: string;
}

/** What the workflow *Find* returns. */
export interface FindReport {
  readonly summary: string;
  readonly archives: readonly ShownArchive[];
  /** Keys of the manifests of one table whose bounds overlap: a range restore refuses them. */
  readonly overlapping: readonly string[];
  /** Manifests that cannot be read or are not to be trusted, and why. */
  readonly unreadable: FindResult['unreadable'];
  /** How many more were found than are shown. */
  readonly notShown: number;
}

/** The archives that were found, as many as an output has room for, and how to see the others. */
export function findReport({ archives, overlapping, unreadable }: FindResult): FindReport {
  const shown = truncate(archives.map(show), PAYLOAD_BUDGET.found);
  const shownUnreadable = truncate(unreadable, PAYLOAD_BUDGET.warnings);
  const notShown = archives.length - shown.length + (unreadable.length - shownUnreadable.length);
  const rows = archives.reduce((sum, archive) => sum + archive.rows, 0);
  const bytes = archives.reduce((sum, archive) => sum + archive.bytes, 0);
  const parts = [
    `${counted(archives.length, 'archive')} (${counted(rows, 'row')}, ${counted(bytes, 'byte')})`,
    ...(unreadable.length > 0 ? [`${counted(unreadable.length, 'manifest')} not readable`] : []),
    ...(overlapping.length > 0
      ? [
          `of ${counted(overlapping.length, 'period')} there is more than one: restore those by their manifestKey`,
        ]
      : []),
    ...(notShown > 0
      ? [
          `${String(notShown)} of them are not shown, since an output has no room for more: narrow the input by partitionSet, from or to, or list them all with npm run archive -- find`,
        ]
      : []),
  ];
  return {
    summary: parts.join('; '),
    archives: shown,
    overlapping: truncateLines(overlapping.map(overlapLine), TEXT_BUDGET.message),
    unreadable: shownUnreadable,
    notShown,
  };
}

/** Archives that overlap, in one line. */
export const overlapLine = (group: readonly FoundArchive[]): string =>
  group.map(({ manifestKey }) => manifestKey).join(' and ');

function show({ partition, ...archive }: FoundArchive): ShownArchive {
  const { manifestKey, period, lowerBound, upperBound, rows, bytes, archivedAt, systemIdentifier } = archive;
  return {
    partition: displayName(partition.schema, partition.table),
    period,
    lowerBound,
    upperBound,
    rows,
    bytes,
    archivedAt,
    systemIdentifier,
    manifestKey,
  };
}
