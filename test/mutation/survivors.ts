/**
 * Mutants that no test can notice, or that are not worth one, by their name in the output (file, line of the file, column:
 * what -> instead); and why.
 */
export const SURVIVORS: Readonly<Record<string, string>> = {
  'core/archive/detect.ts | if (!set.drop || request.archiveOnly) return false; | 45: false -> undefined':
    'the same result: both are false',
  'core/archive/commit.ts | if (!parsed.ok || !sameArchive(parsed.manifest, manifest)) return false; | 66: false -> undefined':
    'the same result: both are false',
  'core/archive/request.ts | return []; | 7: [] -> undefined':
    'the mistake that was told just before ends it anyway',
  "core/archive/request.ts | const index = typeof name === 'string' ? names.indexOf(name) : -1; | 14: typeof name === 'string' -> true":
    'what is no text is not among the names',
  'core/archive/report.ts | const WARNINGS_OF_A_FAILURE = 1_000; | 30: 1_000 -> (1000 + 1)':
    'how much room there is was chosen with a margin',
  'core/archive/report.ts | rows: archived.reduce((sum, row) => sum + (row.rows ?? 0), 0), | 43: row.rows ?? 0 -> row.rows':
    'in a sum null is 0',
  'core/archive/report.ts | bytes: archived.reduce((sum, row) => sum + (row.bytes ?? 0), 0), | 44: row.bytes ?? 0 -> row.bytes':
    'in a sum null is 0',
  'core/archive/report.ts | resume: failed > 0 && (input.redriveCount ?? 0) > (input.detect.redriveCount ?? 0), | 23: input.redriveCount ?? 0 -> input.redriveCount':
    'undefined is no more than any count, as 0 is',
  'core/proof/compare.ts | if (!this.ended) this.#chunks.return?.().catch(() => undefined); | 4: !this.ended -> true':
    'closing a stream that has ended does nothing',
  'core/proof/line-digest.ts | if (chunk.length === 0) return; | 4: chunk.length === 0 -> false':
    'nothing to take changes nothing; it saves the work',
  'core/proof/line-hash.ts | const STATE_BYTES = 56; | 20: 56 -> (56 + 1)':
    'the module uses nothing from 56 to 64; a copy of one more byte is of no consequence, and one less fails',
  'core/proof/line-hash.ts | const STRIPE_BYTES = 32; | 21: 32 -> (32 + 1)':
    'what is left over is shorter; what is copied behind it is written over by the next bytes, or not read',
  'core/proof/line-hash.ts | const READ_BEYOND = 16; | 20: 16 -> (16 + 1)':
    'a larger margin cuts a large chunk elsewhere, which changes no sum; too small a one fails',
  'core/proof/line-hash.ts | return this.#restLength > 0 || this.#number(TAKEN_AT) > 0n; | 56: 0n -> (0n + 1n)':
    'whole stripes are taken, so it is 0 or at least 32',
  'db/archive/partition-set.sql | where i.inhparent = p_parent and not i.inhdetachpending and c.relispartition), | 33: not i.inhdetachpending and c.relispartition -> c.relispartition':
    'its row says attached either way, and quarantine refuses what is in pg_inherits',
  "db/archive/candidates.sql | case when s.control_kind = 'id' then partition_archiver.highest_id(p_parent) end | 10: s.control_kind = 'id' -> true":
    'the highest id is looked for in vain where time decides; the condition saves the work',
  "db/archive/health.sql | v_highest := case when v_set.control_kind = 'id' then partition_archiver.highest_id(p_parent) end; | 23: v_set.control_kind = 'id' -> true":
    'the highest id is looked for in vain where time decides; the condition saves the work',
  "db/archive/candidates.sql | order by a.upper_time, case when v_set.control_kind = 'id' then a.upper_bound::numeric end, a.table_oid; | 33: v_set.control_kind = 'id' -> false":
    'the order of what expires: each partition is detached in a transaction of its own',
  'db/archive/inventory.sql | if exists (select from partition_archiver.partition l | 3: exists (select from partition_archiver.partition l where ... -> true':
    'the update has the same conditions; the condition saves the work',
  "db/archive/quarantine.sql | case v_object.kind when 'S' then 'sequence' else 'index' end, | 24: 'S' -> null":
    'ALTER INDEX renames a sequence as well',
  'db/archive/locks.sql | exception when insufficient_privilege or undefined_table or invalid_schema_name then | 15: insufficient_privilege -> division_by_zero':
    'only a right that is revoked between the look and the lock comes here',
  'db/archive/locks.sql | exception when insufficient_privilege or undefined_table or invalid_schema_name then | 41: undefined_table -> division_by_zero':
    'only a table that is dropped between the look and the lock comes here',
  'db/archive/locks.sql | exception when insufficient_privilege or undefined_table or invalid_schema_name then | 60: invalid_schema_name -> division_by_zero':
    'only a table whose schema is renamed between the look and the lock comes here',
  'db/archive/locks.sql | if v_toast = any (v_vacuumed) then | 3: v_toast = any (v_vacuumed) -> true':
    'where no other session has the TOAST table the statement waits for nothing, and is rolled back; the condition saves the work',
  "db/archive/drop.sql | execute format('lock table only partition_archiver_quarantine.%I in access exclusive mode', | 65: in access exclusive mode -> in share mode":
    'no writer and no ALTER TABLE gets past either lock, and DROP TABLE asks for the stronger one itself',
  'db/archive/seal.sql | select jsonb_agg(jsonb_build_array(a.attnum, a.attname, a.atttypid, a.atttypmod, a.attcollation, | 56: a.atttypid -> null':
    'a type that changes without a new file changes typmod or collation, too, or is as good as the other',
  'db/archive/seal.sql | a.attisdropped, | 0: a.attisdropped -> null':
    'a column that is dropped loses its name and its type, too',
  'db/archive/seal.sql | a.attgenerated, a.atthasmissing, a.attmissingval::text) order by a.attnum) | 16: a.atthasmissing -> null':
    'it changes with the number of the column or with the file, which are sealed',
  'db/archive/seal.sql | a.attgenerated, a.atthasmissing, a.attmissingval::text) order by a.attnum) | 33: a.attmissingval::text -> null':
    'it changes with the number of the column or with the file, which are sealed',
  'db/archive/seal.sql | select jsonb_agg(jsonb_build_array(t.oid, t.xmin::text, t.tgname, t.tgtype, t.tgenabled, t.tgfoid) | 35: t.oid -> null':
    'whatever changes of a trigger gives its row another xmin, which is sealed; it is for people who read the seal',
  'db/archive/seal.sql | select jsonb_agg(jsonb_build_array(t.oid, t.xmin::text, t.tgname, t.tgtype, t.tgenabled, t.tgfoid) | 56: t.tgname -> null':
    'whatever changes of a trigger gives its row another xmin, which is sealed; it is for people who read the seal',
  'db/archive/seal.sql | select jsonb_agg(jsonb_build_array(t.oid, t.xmin::text, t.tgname, t.tgtype, t.tgenabled, t.tgfoid) | 66: t.tgtype -> null':
    'whatever changes of a trigger gives its row another xmin, which is sealed; it is for people who read the seal',
  'db/archive/seal.sql | select jsonb_agg(jsonb_build_array(t.oid, t.xmin::text, t.tgname, t.tgtype, t.tgenabled, t.tgfoid) | 76: t.tgenabled -> null':
    'whatever changes of a trigger gives its row another xmin, which is sealed; it is for people who read the seal',
  'db/archive/seal.sql | select jsonb_agg(jsonb_build_array(t.oid, t.xmin::text, t.tgname, t.tgtype, t.tgenabled, t.tgfoid) | 89: t.tgfoid -> null':
    'whatever changes of a trigger gives its row another xmin, which is sealed; it is for people who read the seal',
  "core/proof/contents.ts | if (verdict.kind === 'mismatch' || !verdict.orderDiffers) return verdict; | 21: 'mismatch' -> ''":
    'a mismatch says nothing of the order, so the other half returns it',
  'core/proof/contents.ts | const key = randomBytes(32); | 24: 32 -> (32 + 1)':
    'a longer key is as little known',
  'core/proof/contents.ts | let sum = 0n; | 10: 0n -> (0n + 1n)': 'both sides begin with the same',
  'core/proof/contents.ts | sum = BigInt.asUintN(256, sum + BigInt(`0x${hash}`)); | 21: 256 -> (256 + 1)':
    'it keeps the number small, on both sides alike',
  'core/proof/contents.ts | sum = BigInt.asUintN(256, sum + BigInt(`0x${hash}`)); | 30: + -> -':
    'both sides are summed up alike; a difference of hashes tells as much as their sum',
  "db/archive/refusals.sql | if exists (select from pg_type where oid = p_type and typtype = 'b' and typcategory <> 'A') then | 3: exists (select from pg_type where oid = p_type and typtyp... -> true":
    'what is none of these says nothing of an empty text that would be a refusal; it saves the work',
  "db/archive/quarantine.sql | set state = 'quarantined', archive_id = v_archive_id, quarantine_name = v_quarantine_name, | 4: state = 'quarantined', archive_id = v_archive_id -> state = 'quarantined', archive_id = coalesce(archive_id, ...":
    'a return to the owner takes the archive id away, too',
  'db/reverify/reverify.sql | exception when undefined_table then | 15: undefined_table -> division_by_zero':
    'only a table that is dropped between the look and the lock comes here',
  'db/reverify/reverify.sql | if to_regclass(v_table)::oid is distinct from l.table_oid | 3: to_regclass(v_table)::oid is distinct from l.table_oid -> false':
    'only a table that is replaced between the look and the lock comes here',
  "db/ledger/upgrade.sql | if v_resolved.state = 'released' and l.quarantine_name is not null then | 37: l.quarantine_name is not null -> true":
    'what is released and not in quarantine has none of what is taken from it',
};
