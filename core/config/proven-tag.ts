/**
 * The tag of a data object whose contents were proven. Lifecycle rules go by it: the keys of data, DDL and manifests
 * differ only behind table and period, where a rule's prefix cannot tell them apart.
 */
export const PROVEN_TAG = { key: 'partition-archiver', value: 'proven' } as const;

/** The tag of an object of a Parquet copy, which expires as its archive does, and never moves to Glacier. */
export const COPY_TAG = { key: PROVEN_TAG.key, value: 'copy' } as const;

/** The tag of the page on the archive, whose older versions expire. Nothing of an archive has it. */
export const PAGE_TAG = { key: PROVEN_TAG.key, value: 'page' } as const;
