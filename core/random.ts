/** The items, each time any of those that are left. `random` returns a number of at least 0 and below 1. */
export function* inRandomOrder<T>(items: Iterable<T>, random: () => number): Generator<T> {
  const rest = [...items];
  while (rest.length > 0) yield* rest.splice(Math.floor(random() * rest.length), 1);
}
