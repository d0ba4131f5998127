-- Proofs: what shows that a segment in S3 is what its table holds. Two readings compare S3 with the table,
-- read again by other code. One reading compares S3 with what the server sent while the segment was exported.

set role archiver_owner;

-- Whether a streamed segment did not match when it was read back, and its partition waits for a proof. Until
-- then nothing counts that one reading has proven: it does not find an error that only a second one finds.
create or replace function partition_archiver.is_one_reading_in_doubt() returns boolean
  language sql stable set search_path = pg_catalog, pg_temp
  return exists (select from partition_archiver.segment s
                   join partition_archiver.partition l using (archive_id)
                  where s.mismatched_at is not null
                    and l.state in ('quarantined', 'exported', 'blocked'));

-- Which proof a streamed segment is to have. One reading is checked by two: of one segment in 16, which the
-- archive id chooses, of all until a run of this version has shown that both agree, and of all while one
-- reading is in doubt.
create or replace function partition_archiver.proof_of_stream(p_archive_id uuid, p_number integer,
  p_wanted text, p_version text) returns text
  language sql stable set search_path = pg_catalog, pg_temp
  return case
    when p_wanted = 'one-reading'
     and hashtextextended(p_archive_id || '-' || p_number, 0) & 15 <> 0
     and exists (select from partition_archiver.run where stream_version = p_version and read_twice > 0)
     and not partition_archiver.is_one_reading_in_doubt()
    then 'one-reading' else 'two-readings' end;

-- The proof that a verdict must have. Where there was an archive before, Reverify has fenced the table again:
-- it may have been changed since it was sent, which only a reading of the table shows.
create or replace function partition_archiver.proof_needed(l partition_archiver.partition,
  s partition_archiver.segment) returns text
  language sql immutable set search_path = pg_catalog, pg_temp
  return case when l.manifest_version_id is null then s.proof else 'two-readings' end;

-- Whether a segment has the proof that the ledger asks for. Nothing else lets a table be dropped.
create or replace function partition_archiver.is_proven(s partition_archiver.segment) returns boolean
  language sql immutable set search_path = pg_catalog, pg_temp
  return s.state = 'verified' and coalesce(case s.proof
    when 'two-readings' then s.sent_sha256 is null or s.sent_sha256 = s.sha256
    when 'one-reading' then not s.order_differs
      and (s.sent_sha256, s.exported_rows, s.exported_bytes) = (s.sha256, s.row_count, s.byte_count)
    end, false);

-- An export is recorded in the transaction that reads the table. A replica would refuse the record only then,
-- after a whole segment was sent to S3.
create or replace function partition_archiver.assert_can_record(p_is_export boolean) returns void
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  if p_is_export and current_setting('transaction_read_only')::boolean then
    raise exception 'nothing can be recorded here: the server or the session is read-only'
      using errcode = 'read_only_sql_transaction';
  end if;
end
$$;

-- For the COPY of a streamed export, which has no other look at the recorded bounds: ends it at the first row
-- that lies out of them.
create or replace function partition_archiver.refuse_row_out_of_bounds() returns boolean
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception 'there are rows out of the recorded bounds, or without a value of the control column'
    using errcode = 'PA023'; -- BoundsViolated
end
$$;

reset role;
