import { maintainDatabase } from '../../adapters/postgres/archive/maintain.ts';
import { parseRuntimeConfig, type RuntimeConfig } from '../../core/config/runtime.ts';
import { REQUEST, stepsFor } from '../lib/archive.ts';
import type { Environment } from '../lib/environment.ts';
import { ROUNDS, Samples } from '../lib/measure.ts';
import { atMost, table, type Case } from '../lib/result.ts';
import { makeManySets, MANY } from '../lib/many-sets.ts';
import { statementsOf } from '../lib/statements.ts';

/** Inventory and detect over many sets and a long ledger; pg_partman's own functions are not in it. */
export const catalogScaling: Case = {
  names: ['catalog-scaling'],
  run: async (environment) => {
    const sets = environment.quick ? 10 : 200;
    const ledgerRows = environment.quick ? 500 : 10_000;
    await makeManySets(environment, sets, ledgerRows);
    const config = configOf(sets);
    const steps = stepsFor(environment, config);
    const request = { ...REQUEST, partitionSets: config.partitionSets.map((_, index) => index) };
    const samples = new Samples();
    for (let round = 0; round <= (environment.quick ? 1 : ROUNDS); round += 1) {
      const kept = round === 0 ? new Samples() : samples;
      await kept.time('bare', () => bareCatalogQueries(environment, config));
      await kept.time('inventory', () => inventories(environment, config));
      await kept.time('health', () => healths(environment, config));
      await kept.time('detect', () => steps.detect(request));
    }
    samples.of('inventory').forEach((value, round) => {
      samples.add('both', value + (samples.of('detect')[round] ?? NaN));
    });

    const [few, many] = [await statements(environment, 'set_1'), await statements(environment, MANY.large)];
    const ratio = samples.ratio('both', 'bare');
    const row = atMost('catalog-scaling', ratio, 3);
    return {
      rows: [{ ...row, goal: `${row.goal}, and no query per partition`, met: row.met && few === many }],
      figures: [
        `${sets} sets with ${MANY.partitions} attached partitions each, ${ledgerRows.toLocaleString('en')} rows in the ledger, most of them long dropped. The bare catalog query lists the children of one set with their bounds; it is asked once for each set, on one connection through the same pooler.`,
        '',
        table(
          ['what', 'seconds', 'ms a set'],
          [
            ['bare catalog query', samples.show('bare'), ((samples.median('bare') / sets) * 1000).toFixed(1)],
            [
              'inventory',
              samples.show('inventory'),
              ((samples.median('inventory') / sets) * 1000).toFixed(1),
            ],
            [
              'health, after each inventory',
              samples.show('health'),
              ((samples.median('health') / sets) * 1000).toFixed(1),
            ],
            ['detect', samples.show('detect'), ((samples.median('detect') / sets) * 1000).toFixed(1)],
          ],
        ),
        '',
        `Statements for one set: ${few} with ${MANY.partitions} partitions, ${many} with ${MANY.largePartitions}.`,
      ].join('\n'),
    };
  },
};

function configOf(
  sets: number,
  names = Array.from({ length: sets }, (_, index) => `set_${index + 1}`),
): RuntimeConfig {
  const parsed = parseRuntimeConfig({
    partitionSets: names.map((name) => ({ schema: MANY.schema, table: name })),
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.config;
}

async function bareCatalogQueries(environment: Environment, { partitionSets }: RuntimeConfig): Promise<void> {
  const connection = environment.open('archiver_maintain');
  try {
    for (const { schema, table: name } of partitionSets) {
      await connection`
        select c.oid, n.nspname, c.relname, pg_get_expr(c.relpartbound, c.oid) as bounds
          from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_namespace n on n.oid = c.relnamespace
          join pg_class p on p.oid = i.inhparent join pg_namespace pn on pn.oid = p.relnamespace
         where pn.nspname = ${schema} and p.relname = ${name}`;
    }
  } finally {
    await connection.end({ timeout: 1 });
  }
}

/** As `maintain` does, but for what it does besides. */
async function inventories(environment: Environment, { partitionSets }: RuntimeConfig): Promise<void> {
  const connection = environment.open('archiver_maintain');
  try {
    const database = maintainDatabase(connection, []);
    for (const set of partitionSets) await database.inventory(set);
  } finally {
    await connection.end({ timeout: 1 });
  }
}

async function healths(environment: Environment, { partitionSets }: RuntimeConfig): Promise<void> {
  const connection = environment.open('archiver_maintain');
  try {
    const database = maintainDatabase(connection, []);
    for (const set of partitionSets) await database.health(set);
  } finally {
    await connection.end({ timeout: 1 });
  }
}

async function statements(environment: Environment, name: string): Promise<number> {
  const steps = stepsFor(environment, configOf(1, [name]));
  const found = await statementsOf(environment, async () => {
    await steps.maintain({ ...REQUEST, mode: 'inventory' });
    await steps.detect(REQUEST);
  });
  return found.length;
}
