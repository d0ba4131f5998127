/**
 * The folders of an archive below `<database>/<schema>/<table>/<period>/`. Policies allow to write to a folder by its
 * name, whatever stands before it: `data/` behind any table. So no schema, table or period may have one of these names:
 * a role that writes data could write anything below it.
 */
export const FOLDERS = ['data', 'ddl', 'manifest', 'query', 'query-manifest', 'report'] as const;

/** Whether a part of a key is the name of a folder, and nothing else. */
export function isFolder(part: string): boolean {
  return (FOLDERS as readonly string[]).includes(part);
}
