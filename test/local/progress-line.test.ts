import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { progressLine } from '../../local/demo/progress-line.ts';
import type { HistoryEvent } from '../../local/step-functions/run-execution.ts';

interface State {
  readonly Parameters?: { readonly Payload?: unknown };
  readonly ItemProcessor?: { readonly States: Readonly<Record<string, State>> };
}

/** What the state Export of the deployed definition asks of its function, with references replaced by 7. */
function exportPayload(): unknown {
  const file = new URL('../lib/asl/archive.json', import.meta.url);
  const find = (states: Readonly<Record<string, State>>): unknown =>
    states['Export']?.Parameters?.Payload ??
    Object.values(states)
      .map((state) => (state.ItemProcessor === undefined ? undefined : find(state.ItemProcessor.States)))
      .find((payload) => payload !== undefined);
  const payload = find((JSON.parse(readFileSync(file, 'utf8')) as { States: Record<string, State> }).States);
  const resolve = (value: unknown): unknown =>
    typeof value === 'object' && value !== null
      ? Object.fromEntries(
          Object.entries(value).map(([name, each]) =>
            name.endsWith('.$') ? [name.slice(0, -2), 7] : [name, resolve(each)],
          ),
        )
      : value;
  return resolve(payload);
}

// Seen to fail with the ids read from the payload itself, as before a step's input stood under `input`.
test('a step that ended is told with its partition and its segment', () => {
  const event = {
    type: 'LambdaFunctionSucceeded',
    state: 'Export',
    payload: exportPayload(),
    durationMs: 1500,
  };
  expect(progressLine(event as HistoryEvent, (id) => `orders_p${String(id)}`)).toBe(
    `  ✓ Export       ${'orders_p7, segment 7'.padEnd(32)} 1.5 s`,
  );
});
