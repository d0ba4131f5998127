/** How the meter moves with what the steps log: which event is how much of the work of a command. */
import type { Watcher } from './progress.ts';

const numberIn = (fields: Readonly<Record<string, unknown>>, name: string): number => {
  const value = fields[name];
  return typeof value === 'number' ? value : 0;
};

/** Rows and bytes of an event. */
const amount = (fields: Readonly<Record<string, unknown>>) => ({
  rows: numberIn(fields, 'rows'),
  bytes: numberIn(fields, 'bytes'),
});

/**
 * `run`, in bytes of tables: each proven segment is its part of its partition.
 * @param sizes bytes of each partition that is archived, by its id; filled before the first of them is quarantined
 */
export function runWatcher(sizes: ReadonlyMap<number, number>): Watcher {
  const segments = new Map<number, number>();
  return (meter, event, fields) => {
    const id = numberIn(fields, 'partitionId');
    if (event === 'maintain') meter.does('maintaining');
    if (event === 'quarantine') segments.set(id, numberIn(fields, 'segments'));
    if (event === 'segment split') segments.set(id, (segments.get(id) ?? 0) + 1);
    if (event === 'verify') {
      meter.does('archiving');
      meter.add((sizes.get(id) ?? 0) / (segments.get(id) ?? 1), amount(fields));
    }
  };
}

/** `restore` and `drill`, in rows: each is imported, and read again for the proof. */
export function restoreWatcher(): Watcher {
  const archives = new Set<unknown>();
  return (meter, event, fields) => {
    if (event === 'retrieve' && !archives.has(fields['manifest'])) {
      archives.add(fields['manifest']);
      meter.does('restoring');
      meter.expect(2 * numberIn(fields, 'rows'));
    }
    if (event === 'import') meter.add(numberIn(fields, 'rows'), { rows: numberIn(fields, 'rows') });
    if (event === 'build') meter.does('building keys and indexes');
    if (event === 'prove') {
      meter.does('proving');
      meter.add(numberIn(fields, 'rows'), { bytes: numberIn(fields, 'bytes') });
    }
  };
}

/**
 * `partition-table`, in bytes of the table: it is copied, then compared.
 * @param bytes size of the table
 * @param rangeBytes how much of it is compared at once
 */
export function partitionTableWatcher(bytes: number, rangeBytes: number): Watcher {
  const BLOCK = 8192;
  let rows = 0;
  return (meter, event, fields) => {
    if (event === 'partitioning') {
      meter.does('partitioning');
      meter.expect(2 * bytes);
    }
    if (event === 'copied') {
      meter.does('copying');
      const copied = Math.max(0, bytes - BLOCK * numberIn(fields, 'blocksLeft'));
      const more = Math.max(0, copied - meter.done);
      meter.add(more, { bytes: more });
    }
    if (event === 'compared') {
      meter.does('comparing');
      // A job that was resumed has been copied before.
      const more = Math.max(0, bytes - meter.done);
      const now = numberIn(fields, 'rows');
      meter.add(more + (fields['comparedTo'] === null ? 2 * bytes : rangeBytes), { rows: now - rows });
      rows = now;
    }
  };
}

/** `audit` and `audit-all`, in bytes of archived text. */
export const auditWatcher: Watcher = (meter, event, fields) => {
  meter.does('auditing');
  if (event === 'audit begin') meter.expect(numberIn(fields, 'bytes'));
  if (event === 'audit segment') meter.add(numberIn(fields, 'expectedBytes'), amount(fields));
};

/** `convert`, in bytes of archived text: each segment is written, and read again for the proof. */
export const convertWatcher: Watcher = (meter, event, fields) => {
  if (event !== 'convert') return;
  const isProven = fields['what'] === 'proven';
  meter.does('converting');
  meter.add(numberIn(fields, 'bytes'), isProven ? amount(fields) : {});
};

/** `reverify`, in bytes of archived text. */
export const reverifyWatcher: Watcher = (meter, event, fields) => {
  meter.does('verifying again');
  if (event === 'reverify begin') meter.expect(numberIn(fields, 'bytes'));
  if (event === 'reverify segment') meter.add(numberIn(fields, 'bytes'), amount(fields));
};
