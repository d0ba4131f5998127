import { readFileSync } from 'node:fs';
import { registerOwner } from '../../adapters/postgres/install.ts';
import { psql } from './archives.ts';
import type { TestDatabase } from './database.ts';
import { giveTo } from './kinds.ts';
import { createParent } from './partman.ts';
import { makeRoles } from './roles.ts';

/** The SQL of a part of `odd.sample`. */
export const oddFixture = (name: 'awkward-types' | 'awkward-rows'): string =>
  readFileSync(new URL(`../scenarios/archive/fixtures/${name}.sql`, import.meta.url), 'utf8');

/**
 * Makes `odd.sample`: a monthly set with a column of nearly every type, and rows that are hard to write down, all of them in its
 * oldest partition, which is past retention.
 */
export async function createOddSet({ sql, url }: Pick<TestDatabase, 'sql' | 'url'>): Promise<void> {
  await makeRoles(sql, 'odd_owner');
  await psql(url, oddFixture('awkward-types'));
  const [{ start }] = await sql<[{ start: string }]>`
    select to_char(date_trunc('month', now()) - interval '3 months', 'YYYY-MM-DD') as start`;
  await createParent(sql, { parent: 'odd.sample', control: 'at', interval: 'monthly', premake: 2, start });
  await sql`update partman.part_config set retention = '2 months', retention_keep_table = true
             where parent_table = 'odd.sample'`;
  await psql(url, oddFixture('awkward-rows'));
  await sql.begin((tx) => giveTo(tx, 'odd.sample', 'odd_owner'));
  await sql`alter schema odd owner to odd_owner`;
  await registerOwner(sql, 'odd_owner', ['odd']);
}
