import { withReport, type PartitionTableReport } from './report.ts';
import { parsePartitionTableRequest } from './request.ts';
import {
  begin,
  beginDropReplaced,
  beginRollBack,
  STEPS,
  type NextStep,
  type PartitionTablePorts,
  type Progress,
} from './steps.ts';

/** How the state machine calls its function: the first time with the input, then with what the last call returned. */
export type PartitionTableCall =
  | { readonly do: 'begin'; readonly input: unknown }
  | { readonly do: Exclude<NextStep, 'done'>; readonly at: Progress };

const GIB = 2 ** 30;

/** Nothing more is begun after this: what is under way then has ten minutes of the fifteen left. */
export const CALL_MS = 5 * 60_000;
/** Both sides of 20 GiB take about six minutes at 120 MiB/s: what hashing rows of 44 bytes took of a busy processor. */
const LARGEST_SCAN_BYTES = 20 * GIB;
/** Both sides of 256 MiB take some four seconds at that rate; what has to be done again after a kill is little. */
const RANGE_BYTES = GIB / 4;

/** Does one step within the time that is left, and returns what comes next; at the end with the report. */
export async function runCall(
  call: PartitionTableCall,
  ports: PartitionTablePorts,
  remainingMs: number,
): Promise<Progress & { readonly report?: PartitionTableReport }> {
  const limits = {
    milliseconds: Math.min(CALL_MS, remainingMs / 3),
    rangeBytes: RANGE_BYTES,
    largestScanBytes: LARGEST_SCAN_BYTES,
  };
  const limited = { ...ports, limits };
  const at = call.do === 'begin' ? await first(call.input, limited) : await STEPS[call.do](call.at, limited);
  return withReport(at, call.do, ports.database);
}

function first(input: unknown, ports: PartitionTablePorts): Promise<Progress> {
  const request = parsePartitionTableRequest(input);
  switch (request.kind) {
    case 'rollBack':
      return beginRollBack(request.table, ports);
    case 'dropReplaced':
      return beginDropReplaced(request.table, ports);
    case 'partition':
      return begin(request.plan, request.upTo, ports);
  }
}
