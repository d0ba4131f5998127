import { PAST_THE_PROXY } from '../database/login.ts';
import type { DatabaseNames } from './bucket-statements.ts';

/** Where the step `verify` reads tables, past the proxy; `preflight` looks whether that is possible. */
export interface VerifyEndpoint {
  /** Host name of a reader endpoint, of a read replica, or of the writer. */
  readonly endpoint: string;
  readonly port: number;
  /** Security groups behind it. */
  readonly securityGroupIds: readonly string[];
  /**
   * Its resource id, where functions log in by IAM.
   *
   * @default - that of the database
   */
  readonly resourceId?: string | undefined;
}

/**
 * A stream leaves a dead buffer behind for every few KB, and V8 lets them lie until the young generation is due: with the
 * smallest one that is a few MiB of them. Where the limit of the heap is below 2 GiB, it also marks all of the heap for each
 * 64 MiB; so the limit lies above what a function has, and Lambda is what ends one that takes too much. Lambda's own choice
 * (5 and 90 % of the memory), which it leaves where NODE_OPTIONS says either, takes 1.4 times the processor and 1.6 times
 * the memory to verify a segment: 2.5 s and 190 MiB for 5.7 M rows, so 1.9 s and 117 MiB (measured here, bench/FINDINGS.md).
 */
export const HEAP_FOR_STREAMS = { NODE_OPTIONS: '--max-semi-space-size=1 --max-old-space-size=4096' };

/** What a function is told that reads tables past the proxy. */
export function verifyEnvironment({ endpoint, port }: VerifyEndpoint): Record<string, string> {
  return { VERIFY_HOST: endpoint, VERIFY_PORT: String(port), ...PAST_THE_PROXY };
}

/** Under which names the database's archives lie. */
export const namesEnvironment = ({ databaseName, formerNames }: DatabaseNames): Record<string, string> => ({
  DATABASE_NAME: databaseName,
  ...(formerNames.length > 0 && { FORMER_DATABASE_NAMES: formerNames.join(',') }),
});
