/** Name of a partition set in Glue: in lower case, and of the letters, digits and underscores that Athena takes. */
export const catalogName = (schema: string, table: string): string =>
  `${schema}__${table}`.toLowerCase().replaceAll(/[^a-z0-9_]/g, '_');
