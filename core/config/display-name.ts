/** `schema.table`, for a person and for the input of an execution; quoted where PostgreSQL would. */
export function displayName(schema: string, table: string): string {
  const quote = (name: string): string =>
    /^[a-z_][a-z0-9_$]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
  return `${quote(schema)}.${quote(table)}`;
}
