/** Find, Audit, Resume, Release, Reverify and UpgradeLedger as an operator starts them: the synthesised state machines with their bundles. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { AuditReport } from '../../../core/audit/report.ts';
import type { FindReport } from '../../../core/audit/find-report.ts';
import { lambdaEnvironment } from '../../support/lambda-environment.ts';
import { useArchiver } from '../../support/archiver.ts';
import { readArchives } from '../../support/archives.ts';
import { nth, readLedger, type LedgerLine } from '../../support/ledger.ts';
import { useStateMachine, type DeployedMachine } from '../../support/state-machine.ts';
import { createVerifiedPartitions } from '../../support/verified.ts';

const archiver = useArchiver();
const deployed = useStateMachine(archiver, [
  { schema: 'app', table: 'orders', drop: true, graceDays: 0, segmentSizeMiB: 1 },
  { schema: 'app', table: 'Ev"il', drop: true, graceDays: 0 },
]);
const workflow = (name: string): DeployedMachine => deployed().workflow(name);
let orders: LedgerLine[] = [];

beforeAll(async () => {
  orders = await createVerifiedPartitions(archiver(), {
    table: 'orders',
    cold: 3,
    rowsPerMonth: 25_000,
    segmentSizeMiB: 1,
  });
  await createVerifiedPartitions(archiver(), { table: 'Ev"il', cold: 1 });
});

const ledger = async (id: number): Promise<LedgerLine> =>
  nth(
    (await readLedger(archiver().database.sql)).filter((line) => line.id === id),
    0,
  );

describe('find', () => {
  test('lists the archives of a set, oldest first, without a database', async () => {
    const { status, output } = await workflow('find').execute({ partitionSet: 'app.orders' });
    expect(status).toBe('SUCCEEDED');
    const { archives, summary, notShown } = output as FindReport;
    expect(archives).toHaveLength(3);
    expect(archives.map(({ lowerBound }) => lowerBound)).toEqual(
      archives.map(({ lowerBound }) => lowerBound).sort(),
    );
    expect(archives[0]).toMatchObject({ partition: `app.${orders[0]!.table}`, rows: 25_000 });
    expect({ summary, notShown }).toEqual({
      summary: expect.stringMatching(/^3 archives \(75000 rows, \d+ bytes\)$/),
      notShown: 0,
    });
    const nothing = await workflow('find').execute({ partitionSet: 'app.orders', to: '1999' });
    expect(nothing.output).toMatchObject({ archives: [], summary: '0 archives (0 rows, 0 bytes)' });
    const hostile = await workflow('find').execute({ partitionSet: 'app."Ev""il"' });
    expect((hostile.output as FindReport).archives).toHaveLength(1);
  });

  test('refuses an input that means nothing', async () => {
    const { status, error, cause } = await workflow('find').execute({ from: 'yesterday' });
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'InvalidInput' });
    expect(cause).toContain('must be a date or time');
  });
});

describe('audit', () => {
  test('reads everything back, or a sample', async () => {
    const whole = await workflow('audit').execute({});
    expect(whole.status).toBe('SUCCEEDED');
    const { archives, intact, segmentsRead, bytesRead } = whole.output as AuditReport;
    expect({ archives, intact }).toEqual({ archives: 4, intact: 4 });
    expect(segmentsRead).toBeGreaterThan(4);
    const inBucket = (await readArchives(archiver().s3, archiver().bucket)).map(({ data }) => data.length);
    expect(bytesRead).toBe(inBucket.reduce((sum, bytes) => sum + bytes, 0));

    const sample = await workflow('audit').execute({
      partitionSet: 'app.orders',
      from: '2000',
      sample: { archives: 2, segments: 1 },
    });
    expect(sample.output).toMatchObject({ archives: 2, intact: 2, segmentsRead: 2 });
    const nothing = await workflow('audit').execute({ partitionSet: 'app.nobody' });
    expect(nothing.output).toMatchObject({ archives: 0 });
  });

  test('of the whole archive is recorded; where there is no database to record it in, it is good all the same', async () => {
    const { sql } = archiver().database;
    await sql`delete from partition_archiver.audit`;
    const lines: string[] = [];
    const options = { onLog: (line: string) => void lines.push(line) };
    expect(await workflow('audit').execute({ sample: { archives: 1 } }, options)).toMatchObject({
      status: 'SUCCEEDED',
    });
    expect(await sql`select archives::integer from partition_archiver.audit`).toEqual([{ archives: 1 }]);
    const [row] = await sql<{ days: number }[]>`select partition_archiver.days_since_audit() as days`;
    expect(row!.days).toBeLessThan(0.1);
    expect(lines.filter((line) => line.includes('"DaysSinceSuccessfulAudit":0'))).toHaveLength(1);

    // Seen to fail without the Catch of RecordAudit.
    const environment = { ...lambdaEnvironment(), DATABASE_PORT: '1' };
    const whole = await workflow('audit').execute({}, { environment });
    expect(whole).toMatchObject({ status: 'SUCCEEDED', output: { intact: 4 } });
    expect(await sql`select from partition_archiver.audit`).toHaveLength(1);
  });

  test('a damaged archive and a manifest that was written over fail it, and stop no other', async () => {
    const { s3, bucket } = archiver();
    const [first, second] = (await readArchives(s3, bucket)).filter(({ key }) => key.includes('/orders/'));
    const { key } = first!.manifest.segments[0]!.objects[0]!;
    const put = await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: 'other\n' }));
    const over = await s3.send(new PutObjectCommand({ Bucket: bucket, Key: second!.key, Body: '{}' }));
    try {
      const { status, error, cause } = await workflow('audit').execute({ partitionSet: 'app.orders' });
      expect({ status, error }).toEqual({ status: 'FAILED', error: 'AuditFailed' });
      const { errorMessage } = JSON.parse(cause ?? '') as { errorMessage: string };
      expect(errorMessage.split('\n')).toEqual([
        expect.stringMatching(/^3 archives: 1 intact, 2 damaged, 0 without a verdict/),
        expect.stringMatching(/is damaged: data\/.*-0\.tsv: its current version is/),
        expect.stringMatching(/is damaged: ManifestInvalid: .* was written over after/),
      ]);
    } finally {
      for (const [Key, VersionId] of [
        [key, put.VersionId],
        [second!.key, over.VersionId],
      ] as const) {
        await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key, VersionId }));
      }
    }
  });

  test('refuses an input that means nothing', async () => {
    const { error, cause } = await workflow('audit').execute({ sample: 3 });
    expect(error).toBe('InvalidInput');
    expect(cause).toContain('sample: 3 is not allowed');
  });
});

describe('reverify', () => {
  test('verifies all again; one that fails is named and stops no other, and a redrive takes it up', async () => {
    const { sql } = archiver().database;
    const [moved, other] = orders;
    const table = `partition_archiver_quarantine."${moved!.quarantineName}"`;
    const before = await ledger(other!.id);
    await sql.unsafe(`alter table ${table} rename to away`);
    const failed = await workflow('reverify').execute({ all: 'verified' });
    expect({ status: failed.status, error: failed.error }).toEqual({
      status: 'FAILED',
      error: 'PartitionsFailed',
    });
    expect(failed.cause).toMatch(/3 verified again, 1 failed/);
    expect(failed.cause).toMatch(new RegExp(`${String(moved!.id)} \\(app.*IdentityChanged, `));
    expect(await ledger(moved!.id)).toMatchObject({ state: 'blocked', blockedCode: 'IdentityChanged' });
    expect(await ledger(other!.id)).toMatchObject({
      state: 'verified',
      manifestVersionId: before.manifestVersionId,
    });

    await sql.unsafe(`alter table partition_archiver_quarantine.away rename to "${moved!.quarantineName!}"`);
    const { status, output } = await workflow('reverify').redrive(failed);
    expect(status).toBe('SUCCEEDED');
    expect(output).toMatchObject({ summary: '4 verified again, 0 failed', resume: false });
    expect(await ledger(moved!.id)).toMatchObject({ state: 'verified', blockedCode: null });
  });

  test('one whose rows were changed behind the fence is not verified, by whatever way it is named', async () => {
    const { sql } = archiver().database;
    const [changed, other] = orders;
    const table = `partition_archiver_quarantine."${changed!.quarantineName}"`;
    await sql.unsafe(`
      alter table ${table} disable trigger all;
      update ${table} set payload = 'other' where id = (select min(id) from ${table});
      alter table ${table} enable always trigger partition_archiver_fence_row,
        enable always trigger partition_archiver_fence_truncate`);
    const ids = [changed!.id, other!.id, changed!.id];
    const { error, cause } = await workflow('reverify').execute({ partitionIds: ids });
    expect(error).toBe('PartitionsFailed');
    expect(cause).toMatch(/1 verified again, 1 failed/);
    expect(cause).toMatch(/ContentMismatch, segment \d+ of partition \d+ is not what was archived/);
    expect(await ledger(changed!.id)).toMatchObject({ state: 'blocked', blockedCode: 'Reverify' });
  });

  test.each([
    [{}, 'InvalidInput', 'must have one of partitionId, partitionIds and all'],
    [{ partitionId: 999_999 }, 'PartitionsFailed', '999999: the ledger has no such partition'],
  ])('refuses an input that means nothing: %j', async (input, code, message) => {
    const { error, cause } = await workflow('reverify').execute(input);
    expect(error).toBe(code);
    expect(cause).toContain(message);
  });
});

describe('resume and release', () => {
  test('says from which state to which', async () => {
    const { id } = orders[2]!;
    const { status, output } = await workflow('release').execute({ partitionId: id });
    expect(status).toBe('SUCCEEDED');
    expect(output).toEqual({
      partitionId: id,
      from: 'verified',
      state: 'released',
      notes: [],
    });
    const again = await workflow('release').execute({ partitionId: id });
    expect(again.output).toMatchObject({ from: 'released', state: 'released' });
    const back = await workflow('resume').execute({ partitionId: id });
    expect(back.output).toEqual({ partitionId: id, from: 'released', state: 'detached' });
  });

  test.each([
    ['resume', {}, 'InvalidInput', 'partitionId: is missing'],
    ['resume', { partitionId: 1, owner: 'team_b' }, 'InvalidInput', 'there is no such setting'],
    ['release', {}, 'InvalidInput', 'partitionId: is missing'],
    ['release', { partitionId: 999_999 }, 'NotInLedger', 'the ledger has no partition 999999'],
  ] as const)('%s refuses an input that means nothing: %j', async (name, input, code, message) => {
    const { error, cause } = await workflow(name).execute(input);
    expect(error).toBe(code);
    expect(cause).toContain(message);
  });
});

describe('upgrade-ledger', () => {
  test('after an upgrade, Archive is stopped until the rows are upgraded, with the input that it names', async () => {
    const { sql } = archiver().database;
    await sql`update partition_archiver.partition set system_identifier = system_identifier - 1 where parent_name = 'orders'`;
    const stopped = await workflow('archive').execute({});
    expect({ status: stopped.status, error: stopped.error }).toEqual({
      status: 'FAILED',
      error: 'PreflightFailed',
    });
    const { errorMessage } = JSON.parse(stopped.cause ?? '') as { errorMessage: string };
    const [, input = ''] = /Start UpgradeLedger with (\{.*?\})/.exec(errorMessage) ?? [];
    const { status, output } = await workflow('upgrade-ledger').execute(
      JSON.parse(input) as Record<string, unknown>,
    );
    expect({ status, output }).toMatchObject({
      status: 'SUCCEEDED',
      output: { summary: expect.stringMatching(/upgraded: .*attached/), notShown: 0 },
    });
    const again = await workflow('upgrade-ledger').execute(JSON.parse(input) as Record<string, unknown>);
    expect(again.output).toMatchObject({ partitions: [] });
    const dry = await workflow('archive').execute({ dryRun: true });
    expect(dry.status).toBe('SUCCEEDED');
  });

  test('refuses an input that means nothing', async () => {
    const { error, cause } = await workflow('upgrade-ledger').execute({ from: 7301234567890 });
    expect(error).toBe('InvalidInput');
    expect(cause).toContain('must be a system identifier in quotes');
  });
});
