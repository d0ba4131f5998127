import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { systemClock } from '../../adapters/clock.ts';
import { ArchiverError } from '../../core/errors.ts';
import type { Clock, Log } from '../../core/ports.ts';
import { consoleLog, idsOf, logWith } from './log.ts';

/** Time kept back before the Lambda's own timeout, to return an error that is retried. */
const TIMEOUT_MARGIN_MS = 2_000;

/** A Lambda handler. */
export type Handler<Event, Answer> = (event: Event, context: Context) => Promise<Answer>;

/** What every function works with. */
export interface Timing {
  readonly clock: Clock;
  readonly log: Log;
  /** Milliseconds that are left before the function is ended. */
  readonly remainingMs: number;
  /** Aborted when they are over. */
  readonly signal: AbortSignal;
}

/**
 * A handler that ends with a retryable error before Lambda's own timeout would, and logs its failures with the ids of
 * its event.
 */
export function timed<Event, Answer>(
  name: string,
  work: (event: Event, timing: Timing) => Promise<Answer>,
): Handler<Event, Answer> {
  const handler = middy<unknown, Answer>({
    timeoutEarlyInMillis: TIMEOUT_MARGIN_MS,
    timeoutEarlyResponse: () => {
      throw new ArchiverError('Interrupted', `${name} ran out of its time`);
    },
  }).handler(
    async (event: unknown, lambda: Context, { signal }: { signal: AbortSignal }): Promise<Answer> => {
      const log = logWith(consoleLog, { step: name, ...idsOf(event) });
      const remainingMs = lambda.getRemainingTimeInMillis() - TIMEOUT_MARGIN_MS;
      try {
        // Lambda parses the event; what it may hold is the state machine's matter.
        return await work(event as Event, { clock: systemClock(signal), log, remainingMs, signal });
      } catch (error) {
        // Lambda's own line about an error has no ids of ours.
        if (error instanceof ArchiverError) log.warn('failed', { error: error.code, message: error.message });
        throw error;
      }
    },
  );
  return handler;
}
