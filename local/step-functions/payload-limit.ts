import type { HistoryEvent } from './execution.ts';

/**
 * "262,144 bytes of data as a UTF-8 encoded string. This quota affects tasks (activity, Lambda function, or integrated service),
 * state or execution output, and input data when scheduling a task, entering a state, or starting an execution."
 * (https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html)
 */
const PAYLOAD_BYTES = 262_144;

/** The error that no `States.ALL` catches (https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html). */
export const DATA_LIMIT_EXCEEDED = 'States.DataLimitExceeded';

/**
 * Says which data of an event is larger than the quota of Step Functions; `undefined` for none. The results of a Map count
 * together, before its ResultSelector: whether what that leaves out counts is not documented.
 */
export function payloadWatch(): (event: HistoryEvent) => string | undefined {
  const results = new WeakMap<object, number>();
  return (event) => {
    const found = dataOf(event).find(([, data]) => bytesOf(data) > PAYLOAD_BYTES);
    if (found !== undefined) return tooLarge(found[0], bytesOf(found[1]));
    if (event.type !== 'MapIterationSucceeded') return undefined;
    const { parentState, output } = event as typeof event & { readonly output?: unknown };
    const { name, input } = parentState;
    // All iterations of one Map have this very object as its input, and another Map has another one.
    if (typeof input !== 'object' || input === null) return undefined;
    const bytes = (results.get(input) ?? '['.length) + bytesOf(output) + ','.length;
    results.set(input, bytes);
    return bytes > PAYLOAD_BYTES ? tooLarge(`the results of ${name}`, bytes) : undefined;
  };
}

const tooLarge = (what: string, bytes: number): string =>
  `${what} has ${String(bytes)} bytes, and Step Functions takes ${String(PAYLOAD_BYTES)}`;

const bytesOf = (data: unknown): number => Buffer.byteLength(JSON.stringify(data ?? null));

function dataOf(event: HistoryEvent): [what: string, data: unknown][] {
  switch (event.type) {
    case 'ExecutionStarted':
      return [['the input of the execution', event.input]];
    case 'StateEntered':
      return [[`the input of ${event.state.name}`, event.state.input]];
    case 'StateExited':
      return [[`the output of ${event.state.name}`, event.state.output]];
    case 'LambdaFunctionStarted':
      return [[`the payload of ${event.state}`, event.payload]];
    case 'LambdaFunctionSucceeded':
      return [[`the result of ${event.state}`, event.output]];
    default:
      return [];
  }
}
