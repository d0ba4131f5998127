import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as Esbuild from 'esbuild';
import type { BuildOptions, TransformOptions } from 'esbuild';
import { FUNCTION_NAMES, stepsOf, type FunctionName } from './functions/function-table.ts';
import { HANDLER_FILES, type Handler } from './functions/handler-files.ts';

const PROJECT_ROOT = join(import.meta.dirname, '..');
const HANDLERS = join(PROJECT_ROOT, 'lambdas');

/** The file of the custom resources. */
export const CUSTOM_RESOURCE = 'attach-feature-role';

/**
 * Bundles all functions into a folder, in one go: a file for each, and files that several share. `NodejsFunction` starts npm and
 * a bundler for each function, 0.7 s of processor each at every `cdk` command, and copies what is shared into each.
 */
export function bundleFunctions(directory: string): void {
  // Only where it is needed: the package has no use for it, and so does not bring it.
  const esbuild = createRequire(import.meta.url)('esbuild') as typeof Esbuild;
  const entries = mkdtempSync(join(tmpdir(), 'partition-archiver-entries-'));
  try {
    for (const name of FUNCTION_NAMES) writeFileSync(join(entries, `${name}.js`), entryOf(name));
    const { outputFiles } = esbuild.buildSync({
      ...OPTIONS,
      entryPoints: entryPointsIn(entries),
      outdir: directory,
    });
    for (const { path, text } of outputFiles)
      writeFileSync(path, esbuild.transformSync(text, TO_COMMONJS).code);
  } finally {
    rmSync(entries, { recursive: true });
  }
}

const OPTIONS = {
  absWorkingDir: PROJECT_ROOT,
  bundle: true,
  platform: 'node',
  target: 'node24',
  // esbuild finds out what functions share among ES modules only.
  format: 'esm',
  splitting: true,
  write: false,
  mainFields: ['module', 'main'],
  minify: true,
  // Error names are matched by Retry and Catch, and minified class names would change them.
  keepNames: true,
  define: { 'import.meta.url': 'moduleUrl', 'import.meta.dirname': '__dirname' },
  // The SDK is bundled too, so that what was tested is what runs, and not whatever the runtime ships on that day.
  external: [],
  logLevel: 'warning',
} as const satisfies BuildOptions;

/** An ES module that imports node:http makes Node.js load its own undici as well, which doubles the cold start. */
const TO_COMMONJS = {
  format: 'cjs',
  platform: 'node',
  target: 'node24',
  minify: true,
  // What the SDK loads late, it loads by `require` as well.
  supported: { 'dynamic-import': false },
  banner: "const moduleUrl=require('node:url').pathToFileURL(__filename).href;",
} as const satisfies TransformOptions;

const entryPointsIn = (entries: string): Record<string, string> => ({
  ...Object.fromEntries(FUNCTION_NAMES.map((name) => [name, join(entries, `${name}.js`)])),
  [CUSTOM_RESOURCE]: handlerFile(CUSTOM_RESOURCE),
});

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
