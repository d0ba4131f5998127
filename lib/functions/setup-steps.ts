import { LONGEST, type StepFunction } from './step-function.ts';

/** Every step of the workflows by which a database and its tables get ready to be archived. */
export const SETUP_STEPS = {
  'prepare-database': {
    description: 'Prepares the database: extensions, roles, ledger, functions, grants, passwords',
    login: 'administrator',
    bucketAccess: 'none',
    timeout: LONGEST,
    memoryMiB: 256,
    installs: true,
  },
  inspect: {
    description: 'Shows how the rows of a table spread over time; changes nothing',
    login: 'administrator',
    bucketAccess: 'none',
    timeout: LONGEST,
    memoryMiB: 256,
  },
  'partition-table': {
    description: 'Makes a partition set out of a plain table, step by step',
    login: 'administrator',
    bucketAccess: 'none',
    timeout: LONGEST,
    memoryMiB: 512,
  },
  adopt: {
    description: 'Takes a table that was detached before into the ledger',
    login: 'archiver_maintain',
    bucketAccess: 'none',
    timeout: LONGEST,
    memoryMiB: 256,
  },
} as const satisfies Record<string, StepFunction>;
