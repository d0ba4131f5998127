/**
 * Room for each list that travels through a state machine: its input and output are limited to 256 KiB, measured in
 * UTF-8, and the report's state holds all of them, some twice.
 */
export const PAYLOAD_BUDGET = {
  warnings: 24 * 1024,
  notDue: 8 * 1024,
  forecast: 32 * 1024,
  drops: 16 * 1024,
  partitions: 64 * 1024,
  blocked: 16 * 1024,
  archives: 96 * 1024,
  found: 128 * 1024,
  page: 96 * 1024,
  problems: 16 * 1024,
  leftOut: 8 * 1024,
} as const;

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

/** The first of `items`, as many as fit into `bytes` as JSON. */
export function truncate<T>(items: readonly T[], bytes: number): readonly T[] {
  let rest = bytes;
  const end = items.findIndex((item) => {
    rest -= Buffer.byteLength(JSON.stringify(item)) + 1;
    return rest < 0;
  });
  return end === -1 ? items : items.slice(0, end);
}

/** The same for lines that a person reads: says how many there are besides. */
export function truncateLines(lines: readonly string[], bytes: number): readonly string[] {
  const fit = truncate(lines, bytes);
  return fit.length === lines.length ? lines : [...fit, `and ${lines.length - fit.length} more`];
}
