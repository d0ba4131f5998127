/** A part of a JSON schema, as far as settings go. */
interface Schema {
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

/** Paths of all settings of a deployment file: `database.proxy.endpoint`, `partitionSets.[].table`. */
export function settingsOf(schema: Schema, path: readonly string[] = []): string[] {
  const { anyOf, properties, items } = schema;
  if (anyOf !== undefined) return [...new Set(anyOf.flatMap((each) => settingsOf(each, path)))];
  if (properties !== undefined) {
    return Object.entries(properties).flatMap(([name, each]) => settingsOf(each, [...path, name]));
  }
  if (items?.properties !== undefined) return settingsOf(items, [...path, '[]']);
  return [path.join('.')];
}
