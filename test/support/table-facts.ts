import type postgres from 'postgres';

/** What a table was, and what it is: the facts that are gone, and those that are new. */
export interface Changes {
  readonly gone: readonly string[];
  readonly new: readonly string[];
}

/** Facts that are in one list only, in the order of the lists. */
export function changes(before: readonly string[], after: readonly string[]): Changes {
  return {
    gone: before.filter((fact) => !after.includes(fact)),
    new: after.filter((fact) => !before.includes(fact)),
  };
}

/**
 * Everything that the catalogs say of a table, one fact a line, with its rows and the values of its sequences. How it
 * is stored (partitioned or not, OIDs, access method of the rows) is left out; so are the constraints and triggers that
 * implement a foreign key.
 */
export async function tableFacts(sql: postgres.Sql, table: string): Promise<string[]> {
  return sql.begin(async (tx) => {
    await tx.unsafe(`set local search_path = pg_catalog; set local timezone = 'UTC'`);
    const found = await tx.unsafe<{ fact: string }[]>(FACTS, [table]);
    const facts = found.map(({ fact }) => fact);
    const names = await tx.unsafe<{ name: string }[]>(SEQUENCES, [table]);
    for (const { name } of names) {
      const [value] = await tx.unsafe<{ fact: string }[]>(
        `select format('sequence ${name.replaceAll("'", "''")}: value %s, called %s', last_value, is_called) as fact from ${name}`,
      );
      facts.push(value!.fact);
    }
    return [...facts, await rowsFact(tx, table)];
  });
}

/** The rows of a table as a fact: their number, and a digest that depends on no order. */
export async function rowsFact(sql: postgres.Sql | postgres.TransactionSql, table: string): Promise<string> {
  const [rows] = await sql.unsafe<{ fact: string }[]>(
    `select format('rows: %s, digest %s', count(*), sum(hashtextextended(r::text, 0))) as fact from ${table} r`,
  );
  return rows!.fact;
}

/** Sequences that belong to a column of a table. */
const OWNED = `
  select s.oid, s.oid::regclass::text as name, a.attname, d.deptype, s.relowner, s.relacl
    from pg_depend d join pg_class s on s.oid = d.objid and s.relkind = 'S'
    join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
   where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass
     and d.refobjid = $1::regclass and d.deptype in ('a', 'i')`;

const SEQUENCES = `select name from (${OWNED}) s order by name`;

const GRANTS = (acl: string, kind: string, owner: string): string => `
  (select string_agg(format('%s: %s%s', case x.grantee when 0 then 'public' else pg_get_userbyid(x.grantee)::text end,
            x.privilege_type, case when x.is_grantable then ' with grant option' else '' end), ', '
            order by pg_get_userbyid(x.grantee), x.privilege_type)
     from aclexplode(coalesce(${acl}, acldefault('${kind}', ${owner}))) x)`;

const FACTS = `
  with t as (select c.* from pg_class c where c.oid = $1::regclass),
  sequence as (${OWNED}),
  fact (place, name, fact) as (
    select 1, '', format('owner: %s', pg_get_userbyid(relowner)) from t
    union all select 2, '', format('comment: %s', obj_description(oid, 'pg_class')) from t
    union all select 3, '', format('grants: %s', ${GRANTS('relacl', 'r', 'relowner')}) from t
    union all select 4, '', format('row level security: %s, forced: %s', relrowsecurity, relforcerowsecurity) from t
    union all select 5, '', format('replica identity: %s', relreplident) from t
    union all
    select 6, lpad(row_number() over (order by a.attnum)::text, 4, '0'), format('column %I: %s%s%s%s%s, storage %s%s%s', a.attname,
             format_type(a.atttypid, a.atttypmod),
             case when a.attcollation <> y.typcollation then ' collate ' || a.attcollation::regcollation else '' end,
             case when a.attnotnull then ' not null' else '' end,
             case when a.attidentity <> '' then ' identity ' || a.attidentity::text else '' end,
             coalesce(case when a.attgenerated <> '' then ' generated ' else ' default ' end || pg_get_expr(d.adbin, d.adrelid), ''),
             a.attstorage, coalesce(', grants ' || a.attacl::text, ''),
             coalesce(', comment ' || col_description(a.attrelid, a.attnum), ''))
      from t join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
      join pg_type y on y.oid = a.atttypid
      left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    union all
    select 7, k.conname, format('constraint %I: %s%s', k.conname, pg_get_constraintdef(k.oid),
             coalesce(', comment ' || obj_description(k.oid, 'pg_constraint'), ''))
      from t join pg_constraint k on k.conrelid = t.oid and k.contype not in ('t', 'n')
       -- PostgreSQL makes one a partition of a referenced table.
       and not exists (select from pg_constraint p where p.oid = k.conparentid and p.conrelid = k.conrelid)
    union all
    select 8, c.relname, format('index %I: %s%s%s', c.relname,
             replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON '), case when i.indisvalid then '' else ', invalid' end,
             coalesce(', comment ' || obj_description(c.oid, 'pg_class'), ''))
      from t join pg_index i on i.indrelid = t.oid join pg_class c on c.oid = i.indexrelid
    union all
    select 9, g.tgname, format('trigger %I: %s, enabled %s%s', g.tgname, pg_get_triggerdef(g.oid), g.tgenabled,
             coalesce(', comment ' || obj_description(g.oid, 'pg_trigger'), ''))
      from t join pg_trigger g on g.tgrelid = t.oid and not g.tgisinternal
    union all
    select 10, p.polname, format('policy %I: %s %s to %s using %s check %s%s', p.polname, p.polcmd, p.polpermissive,
             (select string_agg(case r when 0 then 'public' else pg_get_userbyid(r)::text end, ', ') from unnest(p.polroles) r),
             pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid),
             coalesce(', comment ' || obj_description(p.oid, 'pg_policy'), ''))
      from t join pg_policy p on p.polrelid = t.oid
    union all
    select 11, s.stxname, pg_get_statisticsobjdef(s.oid) from t join pg_statistic_ext s on s.stxrelid = t.oid
    union all
    select 12, p.pubname, format('publication %I: as its root %s, columns %s, rows %s', p.pubname, p.pubviaroot, w.attnames, w.rowfilter)
      from t join pg_namespace n on n.oid = t.relnamespace
      join pg_publication_tables w on w.schemaname = n.nspname and w.tablename = t.relname
      join pg_publication p on p.pubname = w.pubname
    union all
    select 13, s.name, format('sequence %s of %I (%s): owner %s, grants %s, as %s increment %s min %s max %s start %s cache %s cycle %s%s',
             s.name, s.attname, s.deptype, pg_get_userbyid(s.relowner), ${GRANTS('s.relacl', 's', 's.relowner')},
             format_type(q.seqtypid, null), q.seqincrement, q.seqmin, q.seqmax, q.seqstart, q.seqcache, q.seqcycle,
             coalesce(', comment ' || obj_description(s.oid, 'pg_class'), ''))
      from sequence s join pg_sequence q on q.seqrelid = s.oid)
  select fact from fact order by place, name`;
