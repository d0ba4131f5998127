import type { Manifest } from '../manifest.ts';
import { namesOthers, type ColumnFacts } from './bare-table.ts';
import type { MissingDependency } from './database.ts';

/** A dependency as the archived DDL lists it. */
interface Dependency {
  readonly kind: string;
  readonly identity: string;
  readonly definition?: string;
}

/**
 * Names of the columns that are loaded as text, whose bytes are the same: those whose type or collation is missing, has lost
 * a label, or is a domain or composite type with another definition, at any depth; those of a domain with a check that is
 * not validated, which archived rows may violate; and those of a domain whose check calls a function of the application,
 * which would be called for each row. Each is altered to its type afterwards, separately.
 */
export function columnsAsText(
  template: Manifest['ddl']['template'],
  missing: readonly MissingDependency[],
): readonly string[] {
  const types = ((template['dependencies'] ?? []) as readonly Dependency[]).filter(
    ({ kind }) => kind === 'type',
  );
  const isEnum = (name: string): boolean =>
    types.some(
      ({ identity, definition }) => identity === name && definition?.includes(' AS ENUM (') === true,
    );
  const gone = new Set(
    missing
      .filter(({ kind }) => kind === 'type' || kind === 'collation')
      // An enum with more labels than it had takes the rows.
      .filter(({ identity, prevents, movedTo }) => prevents || (movedTo === null && !isEnum(identity)))
      .map(nameOf),
  );
  for (const { identity, definition = '' } of types) {
    const [, checks = ''] = /^CREATE DOMAIN .*?( CONSTRAINT .*)$/s.exec(definition) ?? [];
    if (namesOthers(checks) || checks.includes(' NOT VALID')) gone.add(identity);
  }
  // What is made of a type that is gone is gone, too.
  for (let before = -1; before !== gone.size;) {
    before = gone.size;
    for (const { identity, definition = '' } of types) {
      const body = definition.slice(definition.indexOf(identity) + identity.length);
      if ([...gone].some((name) => mentions(body, name))) gone.add(identity);
    }
  }
  return ((template['columns'] ?? []) as readonly ColumnFacts[])
    .filter(({ type, collation, generated }) => {
      const names = collation === null ? [type] : [type, collation];
      return generated === '' && names.some((text) => [...gone].some((name) => mentions(text, name)));
    })
    .map(({ name }) => name);
}

const nameOf = ({ identity }: MissingDependency): string => identity;

/** Whether a text names something, and not something longer. */
function mentions(text: string, name: string): boolean {
  for (let at = text.indexOf(name); at !== -1; at = text.indexOf(name, at + 1)) {
    const isWhole = !/[\w$".]$/.test(text.slice(0, at)) && !/^[\w$"]/.test(text.slice(at + name.length));
    if (isWhole) return true;
  }
  return false;
}
