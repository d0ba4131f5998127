import { createHash } from 'node:crypto';

/**
 * A name by which people tell the resources of one archiver from those of another: the stack's name, the construct's
 * path in it unless it is the usual one, and what it is. CloudFormation would take the logical id alone, which is the
 * same for every database.
 */
export function physicalName(archiverPath: string, what: string, maxLength = 80): string {
  const prefix = archiverPath.replace(/\/Archiver$/, '').replaceAll(/[^\w-]+/g, '-');
  const name = `${prefix}-${what}`;
  if (name.length <= maxLength) return name;
  const hash = createHash('sha256').update(prefix).digest('hex').slice(0, 8);
  return `${prefix.slice(0, maxLength - what.length - hash.length - 2)}-${hash}-${what}`;
}
