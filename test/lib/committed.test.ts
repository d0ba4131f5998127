/** What is deployed, in files that can be read: state machines, resources, the rights of each function, and outputs. */
import { readdirSync, rmSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { expectCommitted } from '../support/committed.ts';
import { definitions, outputs, resourceLines } from './committed.ts';
import { rights } from './rights.ts';

const HERE = new URL('./', import.meta.url);
const workflows = definitions();

test.each([...workflows])('the definition of %s is the one in asl/', (workflow, definition) => {
  expectCommitted(new URL(`asl/${workflow}.json`, HERE), definition);
});

test('asl/ has a file of each workflow, and no other', () => {
  const files = [...workflows.keys()].map((workflow) => `${workflow}.json`);
  const unknown = readdirSync(new URL('asl/', HERE)).filter((file) => !files.includes(file));
  if (process.env['UPDATE_COMMITTED'] === '1')
    for (const file of unknown) rmSync(new URL(`asl/${file}`, HERE));
  else expect(unknown).toEqual([]);
});

test('the resources are those in resources.txt', () => {
  expectCommitted(new URL('resources.txt', HERE), resourceLines());
});

test('the outputs are those in outputs.json', () => {
  expectCommitted(new URL('outputs.json', HERE), outputs());
});

// Seen to fail with one action more in lib/functions/bucket-statements.ts.
test('the rights of each function are those in rights.txt', () => {
  expectCommitted(new URL('rights.txt', HERE), rights());
});
