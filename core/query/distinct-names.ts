import { ArchiverError } from '../errors.ts';

/** Throws `CatalogConflict` where two names, in the lower case of the engine that reads them, are the same, or one is `taken`. */
export function assertDistinctNames(lowerCase: readonly string[], taken: readonly string[] = []): void {
  const seen = new Set(taken);
  for (const name of lowerCase) {
    if (seen.has(name)) {
      throw new ArchiverError(
        'CatalogConflict',
        `two columns are called ${JSON.stringify(name)} in lower case`,
      );
    }
    seen.add(name);
  }
}
