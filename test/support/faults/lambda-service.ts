/** The Lambda service between Step Functions and the functions: asked before each step, it may refuse to run it. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Gate, type FaultProxy } from './gate.ts';

/** So many calls of a function are refused until it has woken up: three minutes of the last retrier of a step. */
const CALLS_ASLEEP = 12;

/** The error of a function that sleeps, from the call that wakes it up on. */
export const ASLEEP = 'ResourceNotReadyException';

/** The error of a call that is one too many. */
export const THROTTLED = 'TooManyRequestsException';

/** Starts the service on a free port. `POST /<step>` returns 200, or another status with the error as its body. */
export async function startLambdaService(): Promise<FaultProxy> {
  const service = { gate: new Gate() };
  /** Calls of each function that are still to be refused, of one run. */
  let sleeping = new Map<string, number>();
  let run = service.gate;
  const refusal = async (step: string): Promise<string | undefined> => {
    if (run !== service.gate) [run, sleeping] = [service.gate, new Map<string, number>()];
    const left = sleeping.get(step) ?? 0;
    if (left > 0) {
      sleeping.set(step, left - 1);
      return ASLEEP;
    }
    const verdict = await run.ask(run.enter('lambda', step), 'before');
    if (verdict.kind === 'pass') return undefined;
    const error = verdict.kind === 'answer' ? verdict.code : 'ServiceException';
    if (error === ASLEEP) sleeping.set(step, CALLS_ASLEEP - 1);
    return error;
  };
  const server = createServer((request, response) => {
    void refusal((request.url ?? '/').slice(1)).then((error) => {
      response.writeHead(error === undefined ? 200 : 503).end(error);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(service, {
    port: (server.address() as AddressInfo).port,
    close: async (): Promise<void> => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  });
}
