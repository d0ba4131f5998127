import type { FindResult, FoundArchive } from '../find.ts';
import { fitting, ROOM } from '../limits.ts';
import { displayName } from '../partition.ts';

/** One archive, as the output of an execution shows it. */
export interface ShownArchive extends Pick<
  FoundArchive,
  'manifestKey' | 'period' | 'lowerBound' | 'upperBound' | 'rows' | 'bytes' | 'archivedAt'
> {
  readonly partition: string;
}

/** What the workflow *Find* answers. */
export interface FindReport {
  readonly summary: string;
  readonly archives: readonly ShownArchive[];
  /** Manifests that cannot be read or are not to be trusted, and why. */
  readonly unreadable: FindResult['unreadable'];
  /** How many more were found than are shown. */
  readonly notShown: number;
}

/** The archives that were found, as many as an output has room for, and how to see the others. */
export function findReport({ archives, unreadable }: FindResult): FindReport {
  const shown = fitting(archives.map(show), ROOM.found);
  const shownUnreadable = fitting(unreadable, ROOM.warnings);
  const notShown = archives.length - shown.length + (unreadable.length - shownUnreadable.length);
  const rows = archives.reduce((sum, archive) => sum + archive.rows, 0);
  const bytes = archives.reduce((sum, archive) => sum + archive.bytes, 0);
  const parts = [
    `${String(archives.length)} archives (${String(rows)} rows, ${String(bytes)} bytes)`,
    ...(unreadable.length > 0 ? [`${String(unreadable.length)} manifests not readable`] : []),
    ...(notShown > 0
      ? [
          `${String(notShown)} of them are not shown, since an output has no room for more: narrow the input by partitionSet, from or to, or list them all with npm run archive -- find`,
        ]
      : []),
  ];
  return { summary: parts.join('; '), archives: shown, unreadable: shownUnreadable, notShown };
}

function show({ partition, ...archive }: FoundArchive): ShownArchive {
  const { manifestKey, period, lowerBound, upperBound, rows, bytes, archivedAt } = archive;
  return {
    partition: displayName(partition.schema, partition.table),
    ...{ period, lowerBound, upperBound, rows, bytes, archivedAt, manifestKey },
  };
}
