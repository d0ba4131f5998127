/** A database role that Lambdas log in as. Each has a secret of its own. */
export type DatabaseRole = 'archiver_maintain' | 'archiver_read' | 'archiver_drop' | 'archiver_restore';

export const DATABASE_ROLES: readonly DatabaseRole[] = [
  'archiver_maintain',
  'archiver_read',
  'archiver_drop',
  'archiver_restore',
];
