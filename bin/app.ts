import { readFileSync } from 'node:fs';
import { App } from 'aws-cdk-lib';
import { parseDeploymentConfig, type DeploymentConfig } from '../core/config/deployment.ts';
import { describeProblem } from '../core/config/problems.ts';
import { PartitionArchiverStack } from '../lib/partition-archiver-stack.ts';

const DEFAULT_FILE = 'partition-archiver.json';

const app = new App();
const config = readDeploymentFile((app.node.tryGetContext('config') as string | undefined) ?? DEFAULT_FILE);
new PartitionArchiverStack(app, config.stackName, { config });

function readDeploymentFile(file: string): DeploymentConfig {
  let input: unknown;
  try {
    input = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    return refuse(
      `cannot read the deployment file ${file}: ${error instanceof Error ? error.message : String(error)}`,
      `Copy partition-archiver.example.json to ${DEFAULT_FILE}, or name another file by -c config=<path>.`,
    );
  }
  const parsed = parseDeploymentConfig(input);
  if (parsed.ok) return parsed.config;
  const count = parsed.problems.length === 1 ? '1 mistake' : `${parsed.problems.length} mistakes`;
  return refuse(
    `the deployment file ${file} has ${count}:`,
    ...parsed.problems.map((problem) => `  ${describeProblem(problem)}`),
  );
}

/** Ends with plain lines: a stack trace would hide what is wrong. */
function refuse(...lines: string[]): never {
  process.stderr.write(`${lines.join('\n')}\n`);
  process.exit(1);
}
