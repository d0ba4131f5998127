import { ArchiverError } from '../errors.ts';

/** Which names are one and the same to a reader. */
export type Fold = (name: string) => string;

/** As DuckDB compares names, and with it aurora_analytics: the case of ASCII letters does not count. */
export const foldAscii: Fold = (name) => name.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());

/** As Glue and Athena compare names: no case counts. */
export const foldAll: Fold = (name) => name.toLowerCase();

/** Throws `CatalogConflict` where a reader takes two names for one, or a name for one of those that are `taken`. */
export function requireDistinct(names: readonly string[], fold: Fold, taken: readonly string[] = []): void {
  const seen = new Set(taken);
  for (const name of names.map(fold)) {
    if (seen.has(name)) {
      throw new ArchiverError(
        'CatalogConflict',
        `two columns are called ${JSON.stringify(name)} in lower case`,
      );
    }
    seen.add(name);
  }
}
