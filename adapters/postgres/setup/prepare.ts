import type { PartitionSetConfig } from '../../../core/config/partition-set.ts';
import {
  type DatabaseFacts,
  LOGIN_ROLES,
  type LoginRole,
  type PrepareDatabase,
} from '../../../core/setup/prepare-database.ts';
import { extensionStatement } from '../../../core/setup/prepare-script.ts';
import type { PreflightProblem } from '../../../core/archive/preflight.ts';
import { inTransaction, translated, type Connection } from '../connect.ts';
import { registerOwner, installArchiver, readDatabaseFile, readInstallFiles } from '../install.ts';
import { databaseProblems } from '../archive/preflight.ts';
import { publicationsBeforeInstallation } from '../publications.ts';
import { scramVerifier } from './scram.ts';

/** db/*.sql, for a script that a DBA runs by hand. */
export async function installationFiles(): Promise<{ install: string[]; guard: string }> {
  return {
    install: await readInstallFiles(),
    guard: await readDatabaseFile('guard.sql'),
  };
}

/** `prepare` on PostgreSQL, on an administrator's connection. */
export function prepareDatabase(administrator: Connection): PrepareDatabase {
  return {
    facts: (sets) =>
      translated('looking at the database', async () => {
        const wanted = sets.map(({ schema, table }) => ({ schema, table }));
        const [row] = await administrator<[Omit<DatabaseFacts, 'publications'>]>`
          select current_database() as database, current_user as administrator, current_setting('server_version') as "serverVersion",
                 current_setting('server_version_num')::integer as "serverVersionNumber",
                 r.rolsuper or r.rolcreaterole or s.super as "mayCreateRoles", s.super as "isSuperuser",
                 (select jsonb_agg(jsonb_build_object('name', w.name, 'available', a.default_version,
                           'installed', case when e.oid is not null then jsonb_build_object('version', e.extversion, 'schema', n.nspname) end)
                           order by w.name desc)
                    from (values ('pg_partman'), ('aws_s3')) as w (name)
                    left join pg_available_extensions a on a.name = w.name
                    left join pg_extension e on e.extname = w.name
                    left join pg_namespace n on n.oid = e.extnamespace) as extensions,
                 (select coalesce(jsonb_agg(pg_get_userbyid(c.relowner) order by w.position), '[]')
                    from jsonb_array_elements(${administrator.json(wanted)}::jsonb) with ordinality as w (wanted, position)
                    left join pg_namespace n on n.nspname = w.wanted ->> 'schema'
                    left join pg_class c on c.relnamespace = n.oid and c.relname = w.wanted ->> 'table' and c.relkind in ('r', 'p')) as owners,
                 exists (select from pg_event_trigger where evtname = 'partition_archiver_guard') as "hasGuard",
                 (select coalesce(jsonb_agg(evtname order by evtname), '[]') from pg_event_trigger e
                   where evtenabled in ('O', 'A') and evtname <> 'partition_archiver_guard'
                     and not exists (select from pg_depend d where d.classid = 'pg_event_trigger'::regclass and d.objid = e.oid
                                        and d.deptype = 'e')) as "eventTriggers"
            from pg_roles r
            cross join lateral (select r.rolsuper or exists (
              select from pg_roles a where a.rolname = 'rds_superuser' and pg_has_role(r.oid, a.oid, 'usage')) as super) s
           where r.rolname = current_user`;
        return { ...row, publications: await publicationsBeforeInstallation(administrator, wanted) };
      }),

    createExtension: (name) =>
      inTransaction(administrator, `extension ${name}`, async (transaction) => {
        await transaction.unsafe(extensionStatement(name));
      }),

    install: (acceptedPublications) =>
      translated('installing the archiver', async () => {
        await installArchiver(administrator, acceptedPublications);
        await administrator`select partition_archiver.grant_extensions()`;
      }),

    registerOwner: (owner, schemas) =>
      translated(`registration of ${owner}`, () => registerOwner(administrator, owner, schemas)),

    setPassword: (role, password) =>
      translated(`password of ${role}`, async () => {
        await administrator.unsafe(
          `alter role ${role} with login password '${scramVerifier(role, password)}'`,
        );
      }),

    installGuard: () =>
      inTransaction(administrator, 'event trigger', async (transaction) => {
        await transaction.unsafe(await readDatabaseFile('guard.sql'));
      }),

    rolesWithoutIam: () =>
      translated('looking at rds_iam', async () => {
        const roles = await administrator<{ role: LoginRole }[]>`
          select rolname as role from pg_roles
           where rolname in ${administrator([...LOGIN_ROLES])}
             and case when to_regrole('rds_iam') is null then false
                      else not pg_has_role(oid, to_regrole('rds_iam'), 'member') end
           order by rolname`;
        return roles.map(({ role }) => role);
      }),

    advice: (sets) =>
      translated('looking at roles and parameters', async () => [
        ...(await advice(administrator)),
        ...(await setAdvice(administrator, sets)),
      ]),

    problems: (sets, acceptedPublications) => databaseProblems(administrator, sets, acceptedPublications),
  };
}

/** What will keep partitions of these sets attached. Nothing, before the archiver is installed. */
async function setAdvice(
  administrator: Connection,
  sets: readonly PartitionSetConfig[],
): Promise<readonly PreflightProblem[]> {
  const [installed] = await administrator<[{ there: boolean }]>`
    select to_regprocedure('partition_archiver.set_advice(jsonb)') is not null as there`;
  if (!installed.there) return [];
  const named = sets.map(({ schema, table }) => ({ schema, table }));
  return administrator<PreflightProblem[]>`
    select subject, problem, remedy from partition_archiver.set_advice(${administrator.json(named)}::jsonb)`;
}

/** What stops nothing, but should be known: connections without TLS, passwords by MD5, roles that can more than they need. */
function advice(administrator: Connection): Promise<readonly PreflightProblem[]> {
  return administrator<PreflightProblem[]>`
      select 'event trigger ' || evtname as subject,
             format('runs %s(), which is not the archiver''s, at its statements (%s)', evtfoid::regproc, evtevent) as problem,
             'Look whether it lets the archiver make, alter and drop tables; docs/setup.md says how it is exempted.' as remedy
        from pg_event_trigger e
       where evtenabled in ('O', 'A') and evtname <> 'partition_archiver_guard'
         and not exists (select from pg_depend d where d.classid = 'pg_event_trigger'::regclass and d.objid = e.oid and d.deptype = 'e')
      union all
      select 'parameter rds.force_ssl' as subject, 'is off: the server takes connections without TLS' as problem,
             'Set rds.force_ssl = 1 in the parameter group.' as remedy
       where lower(current_setting('rds.force_ssl', true)) in ('0', 'off')
      union all
      select 'parameter password_encryption', 'is ' || current_setting('password_encryption') || ': new passwords are stored as MD5',
             'Set password_encryption = scram-sha-256 in the parameter group.'
       where current_setting('password_encryption') <> 'scram-sha-256'
      union all
      select 'role ' || rolname, 'can more than it needs: ' || concat_ws(', ', case when rolsuper then 'superuser' end,
               case when rolcreaterole then 'createrole' end, case when rolcreatedb then 'createdb' end,
               case when rolbypassrls then 'bypassrls' end, case when rolreplication then 'replication' end),
             format('alter role %I nosuperuser nocreaterole nocreatedb nobypassrls noreplication;', rolname)
        from pg_roles
       where rolname in ('archiver_owner', 'archiver_trial', 'archiver_maintain', 'archiver_read', 'archiver_stream', 'archiver_drop', 'archiver_restore')
         and (rolsuper or rolcreaterole or rolcreatedb or rolbypassrls or rolreplication)
      union all
      select 'role ' || m.rolname, 'is a member of ' || g.rolname || ', whose rights it does not need', format('revoke %I from %I;', g.rolname, m.rolname)
        from pg_auth_members a join pg_roles m on m.oid = a.member join pg_roles g on g.oid = a.roleid
       where m.rolname in ('archiver_trial', 'archiver_read', 'archiver_stream', 'archiver_drop', 'archiver_restore')
         and g.rolname not in ('rds_iam', 'rds_password')
      union all
      select 'role ' || r.rolname, 'may use ' || p.oid::regprocedure || ', and ' || w.harm,
             format('revoke execute on function %1$s from %2$I, public; before that, grant it to the others who use it.', p.oid::regprocedure, r.rolname)
        from (values ('archiver_restore', 'query_export_to_s3', 'runs DDL out of the bucket: it should not be able to write there'),
                     ('archiver_read', 'table_import_from_s3', 'has nothing to import')) as w (role, function, harm)
        join pg_roles r on r.rolname = w.role
        join pg_proc p on p.proname = w.function and p.pronamespace = to_regnamespace('aws_s3')
       where has_function_privilege(r.oid, p.oid, 'execute')`;
}
