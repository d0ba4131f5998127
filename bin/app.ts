#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { App, PermissionsBoundary } from 'aws-cdk-lib';
import { parseDeploymentConfig, type DeploymentConfig } from '../core/config/deployment.ts';
import { describeProblem } from '../core/config/problems.ts';
import { conflicts } from '../core/config/together.ts';
import { PartitionArchiverStack } from '../lib/partition-archiver-stack.ts';

const DEFAULT_FILE = 'partition-archiver.json';

// Where the app is run out of an installed package, the folder that it is run in has not the feature flags of this one.
const { context } = JSON.parse(readFileSync(new URL('../cdk.json', import.meta.url), 'utf8')) as {
  context: Record<string, unknown>;
};
// The CDK's own look at each template is more than half of the processor time of a synthesis. `npm run lint:cloudformation`
// and the tests look at the templates of this release once, by the same schemas.
const app = new App({ context, builtinCloudFormationValidation: false });
// The CDK takes an object with the name here, and passes over a text without a word: by `-c` there are only texts.
const boundary: unknown = app.node.tryGetContext('@aws-cdk/core:permissionsBoundary');
const bounded = typeof boundary === 'string' && {
  permissionsBoundary: PermissionsBoundary.fromName(boundary),
};
const mistakes: string[] = [];
const files = ((app.node.tryGetContext('config') as string | undefined) ?? DEFAULT_FILE).split(',');
const configs = files.flatMap((file) => {
  const config = readDeploymentFile(file);
  return config === undefined ? [] : [[file, config] as const];
});
mistakes.push(...conflicts(configs));
// All mistakes of all files at once.
if (mistakes.length > 0) refuse(...mistakes);
// A stack for each file: several databases are deployed, changed and deleted one by one.
for (const [, config] of configs) {
  new PartitionArchiverStack(app, config.stackName, { config, ...bounded });
}

/** `undefined` where there are mistakes, which are then noted. */
function readDeploymentFile(file: string): DeploymentConfig | undefined {
  let input: unknown;
  try {
    input = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    mistakes.push(
      `cannot read the deployment file ${file}: ${error instanceof Error ? error.message : String(error)}`,
      `Copy partition-archiver.example.json to ${DEFAULT_FILE}, or name another file by -c config=<path>, several with commas.`,
    );
    return undefined;
  }
  const parsed = parseDeploymentConfig(input);
  if (parsed.ok) return parsed.config;
  const count = parsed.problems.length === 1 ? '1 mistake' : `${parsed.problems.length} mistakes`;
  mistakes.push(
    `the deployment file ${file} has ${count}:`,
    ...parsed.problems.map((problem) => `  ${describeProblem(problem)}`),
  );
  return undefined;
}

/** Ends with plain lines: a stack trace would hide what is wrong. */
function refuse(...lines: string[]): never {
  process.stderr.write(`${lines.join('\n')}\n`);
  process.exit(1);
}
