import { parseBound } from '../bounds.ts';
import type { Manifest } from '../manifest.ts';

/** Where an archive lies in its table; what cannot be compared lies at the beginning, and overlaps only its like. */
interface Place {
  readonly lower: number | bigint;
  readonly upper: number | bigint;
}

/** What is asked of an archive here. */
interface Bounded {
  readonly database: string;
  readonly parent: { readonly schema: string; readonly table: string };
  readonly lowerBound: string;
  readonly upperBound: string;
}

/** An archive with its place. */
export type Placed<Archive extends Bounded = Bounded> = Archive & { readonly place: Place };

const NOWHERE = { lower: Number.NEGATIVE_INFINITY, upper: Number.NEGATIVE_INFINITY };

/** The place that a manifest's bounds give. */
export function placeOf({ partition }: Manifest): Place {
  const lower = parseBound(partition.controlKind, partition.lowerBound);
  const upper = parseBound(partition.controlKind, partition.upperBound);
  return lower === null || upper === null ? NOWHERE : { lower, upper };
}

/** Database and parent, as one text. */
export const tableOf = ({ database, parent }: Bounded): string =>
  JSON.stringify([database, parent.schema, parent.table]);

/**
 * Groups of archives of one table whose bounds overlap, out of archives in the order of their lower bounds: a partition that
 * was returned to its owner or released and archived again, late rows after it was dropped, or a database of the same name elsewhere.
 */
export function overlapsIn<Archive extends Bounded>(
  archives: readonly Placed<Archive>[],
): Placed<Archive>[][] {
  const groups: Placed<Archive>[][] = [];
  for (const archive of archives) {
    const group = groups.at(-1);
    if (group?.some((other) => overlap(other, archive)) === true) group.push(archive);
    else groups.push([archive]);
  }
  return groups.filter(({ length }) => length > 1);
}

function overlap(a: Placed, b: Placed): boolean {
  if (tableOf(a) !== tableOf(b)) return false;
  if (a.lowerBound === b.lowerBound && a.upperBound === b.upperBound) return true;
  return a.place.lower < b.place.upper && b.place.lower < a.place.upper;
}
