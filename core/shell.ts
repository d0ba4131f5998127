/** A word as one argument of a command line, for any shell that sh scripts run in: what is printed can be pasted. */
export function shellArgument(word: string): string {
  return /^[\w.:/-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
