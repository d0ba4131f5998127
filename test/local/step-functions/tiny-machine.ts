import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StateMachineDefinition } from '../../../local/step-functions/definition.ts';
import type { LocalFunction, LocalStateMachine } from '../../../local/step-functions/load-state-machine.ts';

const ARN = 'arn:aws:lambda:eu-central-1:000000000000:function:Worker';

/** A Task that runs the one function of {@link tinyMachine}. */
export function task(fields: object): object {
  return { Type: 'Task', Resource: ARN, TimeoutSeconds: 60, ...fields };
}

/** A state machine with one function, whose handler is `source`, the body of `async (event, context) =>`. */
export function tinyMachine(
  definition: object,
  source: string,
  limits: Partial<Pick<LocalFunction, 'timeoutSeconds' | 'memoryMiB' | 'environment'>> = {},
): LocalStateMachine & Disposable {
  const directory = mkdtempSync(join(tmpdir(), 'tiny-machine-'));
  writeFileSync(
    join(directory, 'index.mjs'),
    `let invocations = 0;\nexport const handler = async (event, context) => { invocations += 1; ${source} };\n`,
  );
  return {
    name: 'Tiny',
    arn: 'arn:aws:states:eu-central-1:000000000000:stateMachine:Tiny',
    region: 'eu-central-1',
    creationDate: new Date(),
    definition: definition as StateMachineDefinition,
    functions: new Map([
      [
        ARN,
        {
          arn: ARN,
          logicalId: 'Worker',
          directory,
          handler: 'index.handler',
          timeoutSeconds: 10,
          memoryMiB: 256,
          environment: { GREETING: 'hello' },
          ...limits,
        },
      ],
    ]),
    secrets: {},
    [Symbol.dispose]: () => {
      rmSync(directory, { recursive: true });
    },
  };
}
