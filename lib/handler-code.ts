import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { buildSync } from 'esbuild';
import { FUNCTION_NAMES, stepsOf, type FunctionName } from './functions/function-table.ts';
import { HANDLER_FILES, type Handler } from './functions/handler-files.ts';

const PROJECT_ROOT = join(import.meta.dirname, '..');
const HANDLERS = join(PROJECT_ROOT, 'lambdas');

interface FunctionCode {
  readonly code: lambda.Code;
  readonly runtime: lambda.Runtime;
}

/** The file of the custom resources. */
export const CUSTOM_RESOURCE = 'attach-feature-role';

/**
 * Code of all functions of all archivers: one asset, in which each function has a file of its own that loads only its own
 * code. It depends on nothing but this release: configuration comes with the input of each step.
 *
 * All files are bundled in one go when the first is asked for. `NodejsFunction` starts npm and a bundler for each: 0.7 s
 * of processor for each function, at every `cdk` command. Where the stack needs no bundles (`cdk list`, most tests), the
 * modules are left out.
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
  if (withBundles) bundleInto(directory);
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

function bundleInto(directory: string): void {
  const entries = mkdtempSync(join(workFolder(), 'entries-'));
  for (const name of FUNCTION_NAMES) writeFileSync(join(entries, `${name}.js`), entryOf(name));
  buildSync({
    entryPoints: {
      ...Object.fromEntries(FUNCTION_NAMES.map((name) => [name, join(entries, `${name}.js`)])),
      [CUSTOM_RESOURCE]: handlerFile(CUSTOM_RESOURCE),
    },
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
}

/** The file that a function starts with: its steps, and what chooses between them. */
function entryOf(name: FunctionName): string {
  const steps = stepsOf(name).map(([step]) => step);
  const from = (file: string) => `from ${JSON.stringify(file)};`;
  return [
    `import { serve } ${from(join(HANDLERS, 'runtime/serve.ts'))}`,
    ...steps.map((step, index) => `import { handler as step${index} } ${from(handlerFile(step))}`),
    `export const handler = serve({ ${steps.map((step, index) => `'${step}': step${index}`).join(', ')} });`,
  ].join('\n');
}

function handlerFile(handler: Handler): string {
  return join(HANDLERS, `${HANDLER_FILES[handler]}.ts`);
}
