import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { buildSync } from 'esbuild';
import { HANDLER_FILES, type Handler } from './functions/handler-files.ts';

const PROJECT_ROOT = join(import.meta.dirname, '..');
const HANDLERS = join(PROJECT_ROOT, 'lambdas');

/** What lies beside a bundle, and so is part of the code's hash. */
interface FilesBeside {
  /** Written as `config.json`. */
  readonly config?: object;
  /** Whether `db/` is copied, which the function installs. */
  readonly withDatabaseFiles?: boolean;
}

/**
 * Code of one file of `lambdas/`, bundled into one module.
 *
 * All files are bundled in one go when the first is asked for. `NodejsFunction` starts npm and a bundler for each: 0.7 s
 * of processor for each function, at every `cdk` command. Where the stack needs no bundles (`cdk list`, most tests), the
 * module is left out.
 */
export function handlerCode(
  scope: Construct,
  name: Handler,
  { config, withDatabaseFiles = false }: FilesBeside = {},
): { readonly code: lambda.Code; readonly runtime: lambda.Runtime } {
  const directory = mkdtempSync(join(workFolder(), `${name}-`));
  // A cloud assembly may lie below a package of ES modules, such as this one.
  writeFileSync(join(directory, 'package.json'), '{"type":"commonjs"}\n');
  if (config !== undefined) {
    writeFileSync(join(directory, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
  }
  if (withDatabaseFiles) cpSync(join(PROJECT_ROOT, 'db'), join(directory, 'db'), { recursive: true });
  if (Stack.of(scope).bundlingRequired) {
    copyFileSync(join(bundles(), `${HANDLER_FILES[name]}.js`), join(directory, 'index.js'));
  }
  return { code: lambda.Code.fromAsset(directory), runtime: lambda.Runtime.NODEJS_24_X };
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

let bundled: string | undefined;

function bundles(): string {
  if (bundled !== undefined) return bundled;
  const directory = join(workFolder(), 'bundles');
  mkdirSync(directory);
  buildSync({
    entryPoints: Object.values(HANDLER_FILES).map((file) => join(HANDLERS, `${file}.ts`)),
    outbase: HANDLERS,
    outdir: directory,
    absWorkingDir: PROJECT_ROOT,
    bundle: true,
    platform: 'node',
    target: 'node24',
    // An ES module that imports node:http makes Node.js load its own undici as well, which doubles the cold start.
    format: 'cjs',
    mainFields: ['module', 'main'],
    minify: true,
    // Error names are matched by Retry and Catch, and minified class names would change them.
    keepNames: true,
    define: { 'import.meta.url': 'moduleUrl', 'import.meta.dirname': '__dirname' },
    banner: { js: "const moduleUrl=require('node:url').pathToFileURL(__filename).href;" },
    // The SDK is bundled too, so that what was tested is what runs, and not whatever the runtime ships on that day.
    external: [],
    logLevel: 'warning',
  });
  bundled = directory;
  return directory;
}
