import { join } from 'node:path';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as nodejs from 'aws-cdk-lib/aws-lambda-nodejs';

const PROJECT_ROOT = join(import.meta.dirname, '..');

/**
 * Code of one file of `lambdas/`, bundled into one module.
 *
 * `configFile` is copied beside the bundle as `config.json`, and so is part of the code's hash.
 */
export function handlerCode(name: string, configFile?: string) {
  return {
    entry: join(PROJECT_ROOT, 'lambdas', `${name}.ts`),
    runtime: lambda.Runtime.NODEJS_24_X,
    projectRoot: PROJECT_ROOT,
    depsLockFilePath: join(PROJECT_ROOT, 'package-lock.json'),
    bundling: bundling(configFile),
  } satisfies Partial<nodejs.NodejsFunctionProps>;
}

function bundling(configFile: string | undefined): nodejs.BundlingOptions {
  return {
    // An ES module that imports node:http makes Node.js load its own undici as well, which doubles the cold start.
    format: nodejs.OutputFormat.CJS,
    target: 'node24',
    mainFields: ['module', 'main'],
    minify: true,
    logLevel: nodejs.LogLevel.WARNING,
    // Error names are matched by Retry and Catch, and minified class names would change them.
    keepNames: true,
    // The SDK too, so that what was tested is what runs, and not whatever the runtime ships on that day.
    externalModules: [],
    define: { 'import.meta.url': 'moduleUrl', 'import.meta.dirname': '__dirname' },
    banner: "const moduleUrl=require('node:url').pathToFileURL(__filename).href;",
    commandHooks: {
      beforeBundling: () => [],
      beforeInstall: () => [],
      afterBundling: (_, outputDirectory) => [
        // A cloud assembly may lie below a package of ES modules, such as this one.
        `echo '{"type":"commonjs"}' > "${join(outputDirectory, 'package.json')}"`,
        ...(configFile === undefined ? [] : [`cp "${configFile}" "${join(outputDirectory, 'config.json')}"`]),
      ],
    },
  };
}
