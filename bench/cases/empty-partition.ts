import { archive } from '../lib/archive.ts';
import type { Environment } from '../lib/environment.ts';
import { ROUNDS, Samples } from '../lib/measure.ts';
import { shown, type Case } from '../lib/result.ts';
import { statementsOf } from '../lib/statements.ts';
import { makeDetached, NARROW } from '../lib/tables.ts';

/** What a partition costs before its first row: time, statements, connections, calls of S3. */
export const emptyPartition: Case = {
  names: ['empty-partition'],
  run: async (environment) => {
    const samples = new Samples();
    for (let round = 1; round <= (environment.quick ? 1 : ROUNDS); round += 1) {
      const partition = await makeDetached(environment, NARROW, 0);
      await samples.time('archive', () => archive(environment, NARROW, partition));
    }
    const partition = await makeDetached(environment, NARROW, 0);
    const counted = countConnections(environment);
    const calls = countCalls(environment);
    const statements = await statementsOf(environment, () => archive(counted.environment, NARROW, partition));
    calls.stop();
    return {
      rows: [shown('empty-partition', samples.median('archive') * 1000, 'ms')],
      figures: [
        `${samples.show('archive')} s; ${statements.length} statements on ${counted.connections()} connections, ${calls.names.length} calls of S3, from quarantine to drop. Each step has a connection of its own, as each Lambda has; verify has one more for its COPY.`,
        '',
        'Statements, in their order:',
        '',
        ...statements.map(({ role, text }) => `1. ${role.replace('archiver_', '')}: \`${shortened(text)}\``),
        '',
        `Calls of S3, in their order: ${calls.names.join(', ')}.`,
      ].join('\n'),
    };
  },
};

function countConnections(environment: Environment): { environment: Environment; connections: () => number } {
  let connections = 0;
  return {
    environment: {
      ...environment,
      open: (...args) => {
        connections += 1;
        return environment.open(...args);
      },
    },
    connections: () => connections,
  };
}

function countCalls({ s3 }: Environment): { names: string[]; stop: () => void } {
  const names: string[] = [];
  const name = 'countCalls';
  s3.middlewareStack.add(
    (next, context) => (args) => {
      names.push((context.commandName ?? '').replace(/Command$/, ''));
      return next(args);
    },
    { step: 'initialize', name },
  );
  return { names, stop: () => void s3.middlewareStack.remove(name) };
}

const shortened = (text: string): string => (text.length > 150 ? `${text.slice(0, 147)}…` : text);
