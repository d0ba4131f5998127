import { mkdirSync, writeFileSync } from 'node:fs';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LambdaPool } from '../../local/step-functions/lambda-pool.ts';
import type { LocalFunction } from '../../local/step-functions/load-state-machine.ts';
import type { Environment } from '../lib/environment.ts';
import { lambdaVariables, shortName, stateMachine } from '../lib/lambdas.ts';
import { ROUNDS, Samples } from '../lib/measure.ts';
import { atMost, table, type Case } from '../lib/result.ts';

const run = promisify(execFile);

const EMPTY = 'empty handler';

/** Until a bundle is loaded in a new process, beside an empty handler. */
export const coldStart: Case = {
  names: ['cold-start'],
  run: async (environment) => {
    const machine = await stateMachine(environment);
    // A function stands there under each of its aliases, too.
    const functions = [
      ...new Map([...machine.functions.values()].map((each) => [shortName(each), each])).values(),
    ];
    const [model] = functions;
    if (model === undefined) throw new Error('there is no function');
    const targets = [
      { name: EMPTY, target: emptyFunction(environment, model) },
      ...functions.map((target) => ({ name: shortName(target), target })),
    ];
    const variables = lambdaVariables(machine, environment);
    const samples = new Samples();
    // One more than counts: the first reads the files.
    for (let round = 0; round <= (environment.quick ? 1 : ROUNDS); round += 1) {
      const kept = round === 0 ? new Samples() : samples;
      for (const { name, target } of targets) {
        await kept.time(name, () => load(target, variables));
        await kept.time(`bare ${name}`, () => loadBare(target, variables));
      }
    }
    const others = targets.slice(1).map(({ name }) => samples.ratio(name, EMPTY));
    return {
      rows: [atMost('cold-start', Math.max(...others), 2.5)],
      figures: [
        'From the start of a local Lambda process until the bundle is loaded and its handler could be called, milliseconds. The secret and the connection, which each invocation gets again, are not in it. The process is the one that the local state machine uses, with Node.js and its messages; beside it the same in a bare `node`, which has loaded neither.',
        '',
        table(
          ['Lambda', 'ms', 'against the empty one', 'bare node, ms', 'against the empty one'],
          targets.map(({ name }) => [
            name,
            milliseconds(samples, name),
            `${samples.ratio(name, EMPTY).toFixed(2)} ×`,
            milliseconds(samples, `bare ${name}`),
            `${samples.ratio(`bare ${name}`, `bare ${EMPTY}`).toFixed(2)} ×`,
          ]),
        ),
        '',
        `The start of a process for a local Lambda, which AWS does not have in this form, is the first line: ${milliseconds(samples, EMPTY)} ms.`,
      ].join('\n'),
    };
  },
};

const milliseconds = (samples: Samples, kind: string): string => (samples.median(kind) * 1000).toFixed(0);

function emptyFunction({ directory }: Environment, model: LocalFunction): LocalFunction {
  const folder = join(directory, 'empty');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'index.js'), 'exports.handler = async () => ({});\n');
  writeFileSync(join(folder, 'package.json'), '{"type":"commonjs"}\n');
  return {
    ...model,
    arn: `${model.arn}-empty`,
    logicalId: 'Empty',
    directory: folder,
    handler: 'index.handler',
  };
}

/** Asks for a handler that is not there: the answer comes when the bundle is loaded, and nothing is invoked. */
async function load(target: LocalFunction, environment: Record<string, string>): Promise<void> {
  const pool = new LambdaPool({ environment });
  try {
    await pool.invoke({ ...target, handler: target.handler.replace(/\..*/, '.nothing') }, {});
    throw new Error(`${target.logicalId} has a handler of this name`);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'Runtime.HandlerNotFound') throw error;
  } finally {
    await pool.close();
  }
}

async function loadBare(
  { directory, handler, environment }: LocalFunction,
  more: Record<string, string>,
): Promise<void> {
  await run(process.execPath, [join(directory, handler.replace(/\..*/, '.js'))], {
    env: { ...environment, ...more },
  });
}
