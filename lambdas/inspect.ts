import { inspectDatabase } from '../adapters/postgres/inspect.ts';
import { inspect, LARGEST_EXACT_BYTES } from '../core/inspect.ts';
import { inspectionReport } from '../core/inspect/report.ts';
import { parseInspectRequest } from '../core/inspect/request.ts';
import { step } from './runtime/step.ts';

/** Shows how the rows of a table spread over time, and proposes how to partition it. Changes nothing. */
export const handler = step('inspect', async ({ input }: { input: unknown }, { connection, clock }) =>
  inspectionReport(
    await inspect(parseInspectRequest(input), {
      ...{ database: inspectDatabase(connection), clock },
      largestExactBytes: LARGEST_EXACT_BYTES,
    }),
  ),
);
