import type { RuntimeConfig } from '../config/runtime.ts';
import { ArchiverError } from '../errors.ts';
import { isObject, show } from '../input.ts';
import { truncateLines, TEXT_BUDGET } from '../limits.ts';
import { displayName } from '../partition.ts';

/** What an execution is to do, checked. It can only narrow what the deployed configuration allows. */
export interface Request {
  /** Positions in the configuration's list of partition sets. */
  readonly partitionSets: readonly number[];
  /** `archive`: everything. `inventory`: only look and record. `drop`: only drop what is due. */
  readonly mode: 'archive' | 'inventory' | 'drop';
  /** Changes nothing and says what would happen. */
  readonly dryRun: boolean;
  /** Archives without dropping, whatever the configuration says. */
  readonly archiveOnly: boolean;
  /** When the execution was asked for, ISO 8601. */
  readonly startedAt: string;
  /** Sets that the preflight found something wrong with: the run leaves them alone, works on the others, and ends as failed. */
  readonly leftOut?: readonly LeftOutSet[];
}

/** A partition set that a run does nothing with. */
export interface LeftOutSet {
  readonly partitionSet: string;
  /** What is wrong with it, and the ways out. */
  readonly message: string;
}

/** Fields of the input of *Archive*. */
export const FIELDS = ['partitionSets', 'only', 'dryRun', 'archiveOnly'];

/**
 * Reads the input of an execution: `{ partitionSets?: string[], only?: 'inventory' | 'drop', dryRun?, archiveOnly? }`.
 * Throws `InvalidInput` with every mistake at once.
 */
export function parseRequest(input: unknown, config: RuntimeConfig, now: Date): Request {
  const problems: string[] = [];
  const fields: Record<string, unknown> = isObject(input) ? input : {};
  if (!isObject(input)) problems.push('the input must be a JSON object such as {}');
  for (const field of Object.keys(fields)) {
    if (!FIELDS.includes(field)) {
      problems.push(`${show(field)}: there is no such field; there are ${FIELDS.join(', ')}`);
    }
  }
  const only = fields['only'];
  if (only !== undefined && only !== 'inventory' && only !== 'drop') {
    problems.push(`only: ${show(only)} must be "inventory" or "drop"`);
  }
  for (const flag of ['dryRun', 'archiveOnly']) {
    if (fields[flag] !== undefined && typeof fields[flag] !== 'boolean') {
      problems.push(`${flag}: ${show(fields[flag])} must be true or false`);
    }
  }
  const partitionSets = chooseSets(fields['partitionSets'], config, problems);
  if (problems.length > 0) {
    throw new ArchiverError('InvalidInput', truncateLines(problems, TEXT_BUDGET.message).join('; '));
  }
  return {
    partitionSets,
    mode: only === 'inventory' || only === 'drop' ? only : 'archive',
    dryRun: fields['dryRun'] === true,
    archiveOnly: fields['archiveOnly'] === true,
    startedAt: now.toISOString(),
  };
}

function chooseSets(wanted: unknown, config: RuntimeConfig, problems: string[]): number[] {
  const names = config.partitionSets.map((set) => displayName(set.schema, set.table));
  if (wanted === undefined) return names.map((_, index) => index);
  if (!Array.isArray(wanted) || wanted.length === 0) {
    problems.push(
      `partitionSets: ${show(wanted)} must be a list of names such as ${JSON.stringify(names.slice(0, 1))}`,
    );
    return [];
  }
  const chosen = new Set<number>();
  const configured = truncateLines(names, TEXT_BUDGET.names).join(', ');
  for (const name of wanted) {
    const index = typeof name === 'string' ? names.indexOf(name) : -1;
    if (index === -1)
      problems.push(`partitionSets: ${show(name)} is not configured; configured are ${configured}`);
    else chosen.add(index);
  }
  return [...chosen].sort((a, b) => a - b);
}
