/** `schema.table`, for a person and for the input of an execution; quoted where PostgreSQL would. */
export function displayName(schema: string, table: string): string {
  return `${displayColumn(schema)}.${displayColumn(table)}`;
}

/** A single name, quoted where PostgreSQL would. */
export const displayColumn = (name: string): string =>
  /^[a-z_][a-z0-9_$]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;

/** Schema and name of `shop.orders` or `shop."Orders"`, as PostgreSQL reads them; `null` where it is no such name. */
export function parseDisplayName(text: string): { readonly schema: string; readonly table: string } | null {
  const match = /^("(?:[^"]|"")+"|[^".]+)\.("(?:[^"]|"")+"|[^".]+)$/.exec(text);
  if (match === null) return null;
  const [schema = '', table = ''] = match
    .slice(1)
    .map((name) => (name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name.toLowerCase()));
  return { schema, table };
}
