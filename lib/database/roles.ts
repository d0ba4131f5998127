import type { ExportWay } from '../../core/config/partition-set.ts';

/** A database role that Lambdas log in as. Each has a secret of its own. */
export type DatabaseRole =
  'archiver_maintain' | 'archiver_read' | 'archiver_stream' | 'archiver_drop' | 'archiver_restore';

const ALWAYS: readonly DatabaseRole[] = [
  'archiver_maintain',
  'archiver_read',
  'archiver_drop',
  'archiver_restore',
];

/** The roles that log in where partition sets are exported in these ways. */
export function databaseRoles(ways: ReadonlySet<ExportWay>): readonly DatabaseRole[] {
  return ways.has('stream') ? [...ALWAYS, 'archiver_stream'] : ALWAYS;
}
