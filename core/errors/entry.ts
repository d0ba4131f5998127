/** What the catalogue says of one code. */
export interface CatalogueEntry {
  /** Trying again, unchanged, may help. */
  readonly retryable: boolean;
  /** The partition is set to `blocked`: nothing happens to it until an operator acts. */
  readonly blocks: boolean;
  /** What to do, in whole sentences. */
  readonly hint: string;
}

/** Another try may help. */
export const retry = (hint: string): CatalogueEntry => ({ retryable: true, blocks: false, hint });
/** Another try, unchanged, does not help. */
export const stop = (hint: string): CatalogueEntry => ({ retryable: false, blocks: false, hint });
/** The partition waits for an operator. */
export const block = (hint: string): CatalogueEntry => ({ retryable: false, blocks: true, hint });
