/** The archived DDL as the file that lies beside the data, which psql accepts. */
export function ddlFile(
  of: { readonly archiveId: string; readonly schema: string; readonly name: string },
  statements: readonly string[],
): string {
  // A name may hold a line break, which would end the comment and have psql run what follows.
  const oneLine = (name: string): string => name.replaceAll(/[\r\n]/g, ' ');
  return [
    `-- ${oneLine(of.schema)}.${oneLine(of.name)}`,
    `-- archive ${of.archiveId}`,
    'set search_path = pg_catalog;',
    'set check_function_bodies = off;',
    ...statements.map((statement) => `${statement};`),
    '',
  ].join('\n');
}
