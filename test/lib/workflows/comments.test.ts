/** The comment of a state machine, which the console shows to who starts it, and the fields that its input may have. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { FIELDS } from '../../../core/archive/request.ts';
import { findSchema } from '../../../core/audit/find-request.ts';
import { auditSchema } from '../../../core/audit/request.ts';
import { adoptSchema } from '../../../core/ledger/adopt-request.ts';
import { releaseSchema, resumeSchema } from '../../../core/ledger/release.ts';
import { upgradeLedgerSchema } from '../../../core/ledger/upgrade.ts';
import { partitionTableSchema } from '../../../core/partition-table/request.ts';
import { convertSchema } from '../../../core/query/listing.ts';
import { drillSchema } from '../../../core/restore/drill.ts';
import { restoreSchema } from '../../../core/restore/request.ts';
import { reverifySchema } from '../../../core/reverify/request.ts';
import { inspectSchema } from '../../../core/setup/inspect-request.ts';
import { prepareSchema } from '../../../core/setup/prepare-request.ts';

const FOLDER = new URL('../asl/', import.meta.url);

/** Fields of the input, by the file of the workflow. */
const INPUTS: Readonly<Record<string, readonly string[]>> = {
  adopt: Object.keys(adoptSchema.shape),
  archive: FIELDS,
  audit: Object.keys(auditSchema.shape),
  convert: Object.keys(convertSchema.shape),
  drill: Object.keys(drillSchema.shape),
  find: Object.keys(findSchema.shape),
  heartbeat: [],
  inspect: Object.keys(inspectSchema.shape),
  'partition-table': Object.keys(partitionTableSchema.shape),
  'prepare-database': Object.keys(prepareSchema.shape),
  release: Object.keys(releaseSchema.shape),
  restore: Object.keys(restoreSchema.shape),
  resume: Object.keys(resumeSchema.shape),
  reverify: Object.keys(reverifySchema.shape),
  'upgrade-ledger': Object.keys(upgradeLedgerSchema.shape),
};

test('the inputs of all workflows are known', () => {
  expect(readdirSync(FOLDER).sort()).toEqual(Object.keys(INPUTS).map((workflow) => `${workflow}.json`));
});

// test/lib/committed.test.ts compares the files with the template.
test.each(Object.entries(INPUTS))('the comment of %s names every field of its input', (workflow, fields) => {
  const { Comment } = JSON.parse(readFileSync(new URL(`${workflow}.json`, FOLDER), 'utf8')) as {
    readonly Comment: string;
  };
  expect(fields.filter((field) => !Comment.includes(`"${field}"`))).toEqual([]);
});
