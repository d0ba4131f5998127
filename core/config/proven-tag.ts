/**
 * The tag of a data object whose contents were proven. Lifecycle rules go by it: the keys of data, DDL and manifests
 * differ only behind table and period, where a rule's prefix cannot tell them apart.
 */
export const PROVEN_TAG = { key: 'partition-archiver', value: 'proven' } as const;
