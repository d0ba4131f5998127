import { inspectDatabase } from '../../adapters/postgres/setup/inspect.ts';
import { inspect, LARGEST_EXACT_BYTES } from '../../core/setup/inspect.ts';
import { inspectionReport } from '../../core/setup/inspect-report.ts';
import { parseInspectRequest } from '../../core/setup/inspect-request.ts';
import { step } from '../runtime/step.ts';

/** Shows how the rows of a table spread over time, and proposes how to partition it. Changes nothing. */
export const handler = step('inspect', async ({ input }: { input: unknown }, { connection, clock }) =>
  inspectionReport(
    await inspect(parseInspectRequest(input), {
      database: inspectDatabase(connection),
      clock,
      largestExactBytes: LARGEST_EXACT_BYTES,
    }),
  ),
);
