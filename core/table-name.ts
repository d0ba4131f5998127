import { parseDisplayName } from './config/display-name.ts';
import { ArchiverError } from './errors.ts';

/**
 * Schema and name of `shop.orders` or `shop."Orders"`, as PostgreSQL reads them: what is not quoted is lower case.
 * Throws `InvalidInput` where it is no such name.
 */
export function parseTableName(text: string): { readonly schema: string; readonly table: string } {
  const name = parseDisplayName(text);
  if (name !== null) return name;
  throw new ArchiverError(
    'InvalidInput',
    `${JSON.stringify(text).slice(0, 200)} is no name of the form schema.table`,
  );
}
