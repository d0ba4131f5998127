import { existsSync, mkdtempSync, rmSync, writeFileSync, cpSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { bundleFunctions } from './function-bundles.ts';

const PROJECT_ROOT = join(import.meta.dirname, '..');

/** Bundles that `bin/package.ts` made; there are none in the repository. */
const PREBUILT = join(PROJECT_ROOT, 'bundles');

interface FunctionCode {
  readonly code: lambda.Code;
  readonly runtime: lambda.Runtime;
}

/**
 * Code of all functions of all archivers: one asset, in which each function has a file of its own that loads only its own
 * code. It depends on nothing but this release: configuration comes with the input of each step.
 *
 * The package has the files bundled beforehand; in the repository they are bundled when the first is asked for. Where the stack
 * needs none (`cdk list`, most tests), they are left out.
 */
export function archiverCode(scope: Construct): FunctionCode {
  const directory = Stack.of(scope).bundlingRequired
    ? (whole ??= makeFolder(true))
    : (bare ??= makeFolder(false));
  return { code: lambda.Code.fromAsset(directory), runtime: lambda.Runtime.NODEJS_24_X };
}

let whole: string | undefined;
let bare: string | undefined;

function makeFolder(withBundles: boolean): string {
  const directory = mkdtempSync(join(workFolder(), 'code-'));
  // A cloud assembly may lie below a package of ES modules, such as this one.
  writeFileSync(join(directory, 'package.json'), '{"type":"commonjs"}\n');
  cpSync(join(PROJECT_ROOT, 'db'), join(directory, 'db'), { recursive: true });
  if (withBundles && existsSync(PREBUILT)) cpSync(PREBUILT, directory, { recursive: true });
  else if (withBundles) bundleFunctions(directory);
  return directory;
}

let folder: string | undefined;

/** A folder of this process's own; the CDK copies what it takes from there. */
function workFolder(): string {
  if (folder !== undefined) return folder;
  const made = mkdtempSync(join(tmpdir(), 'partition-archiver-bundles-'));
  process.once('exit', () => {
    rmSync(made, { recursive: true, force: true });
  });
  folder = made;
  return made;
}
