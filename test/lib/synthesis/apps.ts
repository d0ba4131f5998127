/** Apps for the few test files that look at constructs, and load the CDK for it: seconds. Others ask for a synthesis. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import type { App } from 'aws-cdk-lib';
import type { PartitionArchiverStack } from '../../../lib/partition-archiver-stack.ts';
import { exampleConfig } from '../example.ts';
import { appIn, NO_BUNDLES, stackIn } from './stack-of.ts';

const directory = mkdtempSync(join(tmpdir(), 'partition-archiver-cdk-'));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

const newFolder = (): string => mkdtempSync(join(directory, 'cdk.out-'));

/** An app whose cloud assembly is gone when the test file is done; without a folder of its own it would stay in /tmp. */
export function makeApp(): App {
  return appIn(newFolder(), NO_BUNDLES);
}

/** The stack of the example file with changes in an app of its own. */
export function stackOf(changes: object): PartitionArchiverStack {
  return stackIn(newFolder(), exampleConfig(changes), NO_BUNDLES);
}
