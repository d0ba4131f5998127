/**
 * What S3 asks for storage: US dollars for a GB (10^9 bytes) and a month, in us-east-1, without taxes. Other Regions are up to
 * a quarter dearer. docs/cost.md has the same numbers, and where they were found.
 */
export const STORAGE_PRICES = {
  lookedUp: '2026-11-23',
  region: 'us-east-1',
  perGb: {
    STANDARD: 0.023,
    STANDARD_IA: 0.0125,
    GLACIER_IR: 0.004,
    GLACIER: 0.0036,
    DEEP_ARCHIVE: 0.00099,
  },
} as const;

/** Names of storage classes, as S3's console has them. */
const CLASS_NAMES: Readonly<Record<string, string>> = {
  STANDARD: 'Standard',
  STANDARD_IA: 'Standard-IA',
  GLACIER_IR: 'Glacier Instant Retrieval',
  GLACIER: 'Glacier Flexible Retrieval',
  DEEP_ARCHIVE: 'Glacier Deep Archive',
};

/** The name of a storage class. */
export const classNameOf = (storageClass: string): string => CLASS_NAMES[storageClass] ?? storageClass;

/** Dollars a month for bytes by storage class. A class without a price is taken for Standard, which is the dearest. */
export function monthly(bytes: Readonly<Record<string, number>>): number {
  const perGb: Readonly<Record<string, number>> = STORAGE_PRICES.perGb;
  return Object.entries(bytes).reduce(
    (sum, [storageClass, each]) =>
      sum + (each / 1e9) * (perGb[storageClass] ?? STORAGE_PRICES.perGb.STANDARD),
    0,
  );
}
