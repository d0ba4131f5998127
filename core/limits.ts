/**
 * Room for each list that travels through a state machine: its input and output are limited to 256 KiB, measured in
 * UTF-8, and the report's state holds all of them, some twice.
 */
export const PAYLOAD_BUDGET = {
  /** All of a state, with room for the input of the execution. */
  state: 232 * 1024,
  warnings: 24 * 1024,
  errors: 16 * 1024,
  notDue: 8 * 1024,
  forecast: 32 * 1024,
  drops: 16 * 1024,
  partitions: 64 * 1024,
  blocked: 16 * 1024,
  archives: 96 * 1024,
  found: 128 * 1024,
  page: 64 * 1024,
  problems: 16 * 1024,
  leftOut: 8 * 1024,
} as const;

/** Partitions that one execution works on: with as many there is room for what else travels with their ids. */
export const MOST_PARTITIONS = 10_000;

/**
 * Room for texts of which there may be any number, in an error or an output: Step Functions cuts a cause off at 32 KiB, and
 * other lists stand beside them.
 */
export const TEXT_BUDGET = {
  /** Names within a sentence. */
  names: 2_000,
  /** Findings on one table or archive. */
  details: 4_000,
  /** The whole message of an error. */
  message: 16_000,
} as const;

/** Whole numbers, from and to, that options of the command, inputs of state machines and the configuration take. */
export const ACCEPTED = {
  /** Future partitions of a set. */
  premake: [1, 1000],
  /** Days for which S3 keeps what it retrieved from Glacier. */
  retrievalDays: [1, 365],
  /** MiB of the largest archive that a drill restores: up to 10 TiB. */
  drillMiB: [1, 10_485_760],
  /** Archives of a random sample that is audited, and segments of each. */
  auditedArchives: [1, 100],
  auditedSegments: [1, 1000],
} as const;

/** The length of a value as JSON. */
export const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

/** The beginning of a text, of so many bytes as JSON at most. */
export function beginning(text: string, bytes: number): string {
  const characters = Array.from(text);
  let rest = bytes;
  const end = characters.findIndex((character) => {
    rest -= bytesOf(character) - '""'.length;
    return rest < 0;
  });
  return end === -1 ? text : characters.slice(0, end).join('');
}

/** All of `items`, with the beginnings of their texts, so that they fit into `bytes` as JSON unless they do not even without. */
export function withinAll<T>(
  items: readonly T[],
  bytes: number,
  change: (item: T, cut: (text: string) => string) => T,
): T[] {
  const rest = bytes - bytesOf(items.map((item) => change(item, () => '')));
  return items.map((item) => change(item, (text) => beginning(text, rest / items.length)));
}

/** The first of `items`, as many as fit into `bytes` as JSON. */
export function truncate<T>(items: readonly T[], bytes: number): readonly T[] {
  let rest = bytes;
  const end = items.findIndex((item) => {
    rest -= bytesOf(item) + 1;
    return rest < 0;
  });
  return end === -1 ? items : items.slice(0, end);
}

/** The same for lists one after the other that share `bytes`: each has room for `most` at most, and for what is left. */
export function truncateWithin(bytes: number): <T>(items: readonly T[], most: number) => readonly T[] {
  let rest = bytes;
  return (items, most) => {
    const fit = truncate(items, Math.min(most, rest));
    rest -= bytesOf(fit);
    return fit;
  };
}

/** The same for lines that a person reads: says how many there are besides. */
export function truncateLines(lines: readonly string[], bytes: number): readonly string[] {
  const fit = truncate(lines, bytes);
  return fit.length === lines.length ? lines : [...fit, `and ${lines.length - fit.length} more`];
}
