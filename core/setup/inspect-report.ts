import type { Inspection } from './inspect.ts';
import { truncate, PAYLOAD_BUDGET } from '../limits.ts';
import { displayName } from '../partition.ts';
import { showInspection } from './inspect-chart.ts';
import type { Outliers } from './inspect-outliers.ts';
import type { Distribution, Proposal } from './inspect-proposal.ts';

/** The output of an execution of *Inspect*: what a program reads, and the same as lines for a person. */
export interface InspectionReport {
  readonly table: string;
  readonly estimatedRows: number | null;
  readonly tableBytes: number;
  readonly totalBytes: number;
  readonly partitioned: boolean;
  readonly columns: readonly {
    readonly name: string;
    readonly kind: string;
    readonly remarks: readonly string[];
  }[];
  /** Rows and bytes of each month or range, as many as there is room for. */
  readonly distribution?: Distribution;
  /** Few rows far from all others, which the proposal leaves out. */
  readonly outliers?: readonly Outliers[];
  readonly proposal?: Proposal;
  /** The input of *Partition table* that would do what is proposed; the retention is for the owners of the rows to say. */
  readonly partitionTable?: Readonly<Record<string, unknown>>;
  readonly chart: readonly string[];
}

/** What `inspect` found, within what a state machine can hold. */
export function inspectionReport(inspection: Inspection): InspectionReport {
  const { facts, candidates, distribution, outliers, proposal } = inspection;
  const table = displayName(facts.schema, facts.table);
  return {
    table,
    estimatedRows: facts.estimatedRows,
    tableBytes: facts.tableBytes,
    totalBytes: facts.totalBytes,
    partitioned: facts.kind === 'p',
    columns: truncate(
      candidates.map(({ column, kind, remarks }) => ({ name: column.name, kind, remarks })),
      PAYLOAD_BUDGET.warnings,
    ),
    ...(distribution !== undefined && {
      distribution: { ...distribution, periods: truncate(distribution.periods, PAYLOAD_BUDGET.partitions) },
    }),
    ...(outliers.length > 0 && { outliers }),
    ...(proposal !== undefined && { proposal }),
    ...(distribution !== undefined &&
      proposal !== undefined &&
      facts.kind === 'r' && { partitionTable: inputOf(table, distribution, proposal) }),
    chart: truncate([...showInspection(inspection)], PAYLOAD_BUDGET.partitions),
  };
}

function inputOf(
  table: string,
  { column, kind }: Distribution,
  { interval, premake, retention }: Proposal,
): Readonly<Record<string, unknown>> {
  const epoch = kind === 'time' || kind === 'id' ? {} : { epoch: kind };
  return { table, control: column, interval, premake, retention: retention ?? 'none', ...epoch };
}
