/** A number with its noun: `1 row`, `2 rows`. `show` writes the number, by default its plain digits. */
export function counted<N extends number | bigint>(
  count: N,
  noun: string,
  show: (count: N) => string = String,
): string {
  return `${show(count)} ${noun}${Number(count) === 1 ? '' : 's'}`;
}
