import { archiveNarrow } from './cases/archive-narrow.ts';
import { archiveWide } from './cases/archive-wide.ts';
import { catalogScaling } from './cases/catalog-scaling.ts';
import { coldStart } from './cases/cold-start.ts';
import { convertCase } from './cases/convert.ts';
import { convertMemory } from './cases/convert-memory.ts';
import { deployment } from './cases/deployment.ts';
import { emptyPartition } from './cases/empty-partition.ts';
import { lambdaMemory, streamMemory } from './cases/lambda-memory.ts';
import { linearity } from './cases/linearity.ts';
import { queryCase } from './cases/query.ts';
import { restoreCase } from './cases/restore.ts';
import { segmentScaling } from './cases/segment-scaling.ts';
import { standIns } from './cases/stand-ins.ts';
import { streamNarrow, streamWide } from './cases/archive-stream.ts';
import { verify } from './cases/verify.ts';
import { writerCpu } from './cases/writer-cpu.ts';
import type { Case } from './lib/result.ts';

/** Everything that is measured, in this order. */
export const CASES: readonly Case[] = [
  archiveNarrow,
  archiveWide,
  streamNarrow,
  streamWide,
  writerCpu,
  verify,
  lambdaMemory,
  streamMemory,
  linearity,
  segmentScaling,
  catalogScaling,
  restoreCase,
  coldStart,
  deployment,
  emptyPartition,
  convertCase,
  convertMemory,
  queryCase,
  standIns,
];
