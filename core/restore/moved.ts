/** A qualified name in the archived DDL, quoted as it is printed, and the one that the object has now. */
export interface MovedName {
  readonly from: string;
  readonly to: string;
}

const WORD_END = /[\w"$]$/;

/**
 * Statements with the names of today: an extension that was moved to another schema took its types, functions and operator
 * classes along. Texts stay as they are, but for those that name something (`'public.mine'::regconfig`).
 */
export function renamed(text: string, moved: readonly MovedName[]): string {
  if (moved.length === 0) return text;
  const names = new Map(moved.map(({ from, to }) => [from, to]));
  const longestFirst = [...names.keys()].toSorted((a, b) => b.length - a.length);
  const patterns = longestFirst.map((name) => {
    const end = WORD_END.test(name) ? '(?![\\w$"])' : '(?![-+*/<>=~!@#%^&|`?])';
    return name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&') + end;
  });
  const pattern = new RegExp(`'(?:[^']|'')*'(?:::reg\\w+)?|(?<![\\w$".])(?:${patterns.join('|')})`, 'gu');
  return text.replace(pattern, (found) => {
    if (!found.startsWith("'")) return names.get(found) ?? found;
    const [, name, cast] = /^'(.*)'(::reg\w+)$/s.exec(found) ?? [];
    return name === undefined ? found : `'${names.get(name) ?? name}'${cast ?? ''}`;
  });
}
