/**
 * The import law: which folder may import which. CONTRIBUTING.md draws it; `npm run lint` holds it.
 *
 * Type-only imports count like any other: a type is knowledge of the other side too.
 */

const TOP_LEVEL_FOLDERS = '^(acceptance|bin|core|adapters|lambdas|lib|local|bench|test)/';

/** The steps that archive, on all floors, and among them the one that drops. */
const ARCHIVE_FOLDER = '^(core|adapters/postgres|lambdas)/archive/';
const DROP_FILE = '/archive/drop\\.ts$';

/** An npm package, by the path that it resolves to. */
const npmPackage = (...names) => `(^|/)node_modules/(${names.join('|')})(/|$)`;

/** A folder may import these folders, itself included, and no other one. Packages are not meant here. */
function folderMayImport(folder, pathOfFolder, allowed, comment) {
  return {
    name: `${folder}-imports-only-its-own`,
    comment,
    severity: 'error',
    from: { path: pathOfFolder },
    to: { path: TOP_LEVEL_FOLDERS, pathNot: allowed },
  };
}

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Two files that import each other are one file, or want a third that both import.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolvable',
      comment: 'The import leads nowhere; in TypeScript here it names the file with its .ts extension.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-undeclared-packages',
      comment: 'The package is there only because another one needs it. Declare it in package.json.',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'deployed-code-needs-no-dev-package',
      comment: 'What Lambda runs, and what deploys it, imports only `dependencies`.',
      severity: 'error',
      from: { path: '^(core|adapters|lambdas|lib|bin)/' },
      // Type packages vanish when types are stripped.
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: npmPackage('@types') },
    },

    // core: the domain.
    folderMayImport(
      'core',
      '^core/',
      '^core/',
      'The domain knows nobody: what it needs comes in by its ports.',
    ),
    {
      name: 'core-is-pure-packages',
      comment: 'Drivers and SDKs belong into adapters/, behind a port. zod only computes.',
      severity: 'error',
      from: { path: '^core/' },
      to: { path: 'node_modules/', pathNot: npmPackage('zod') },
    },
    {
      name: 'core-is-pure-node',
      comment:
        'Files, sockets, processes and time come in by the ports; hashing and bytes (node:crypto, node:buffer) are pure.',
      severity: 'error',
      from: { path: '^core/' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(buffer$|crypto$|stream($|/))' },
    },
    {
      name: 'core-takes-streams-but-makes-none',
      comment: 'The type of a stream is a part of the ports; who makes streams does input and output.',
      severity: 'error',
      from: { path: '^core/' },
      to: { path: '^(node:)?stream($|/)', dependencyTypesNot: ['type-only'] },
    },
    // The drop checks what the archiving steps wrote. Code that both shared would be wrong in both at once, and the drop
    // would not notice.
    {
      name: 'what-drops-reaches-nothing-of-what-archives',
      comment: 'The drop checks what the archiving steps wrote: shared code would be wrong in both at once.',
      severity: 'error',
      from: { path: '^(core|adapters/postgres)/archive/drop\\.ts$' },
      to: { path: ARCHIVE_FOLDER, pathNot: DROP_FILE, reachable: true },
    },
    {
      name: 'the-lambda-that-drops-imports-nothing-of-what-archives',
      comment: 'As above. The wiring of all Lambdas (lambdas/runtime/) may know the other steps.',
      severity: 'error',
      from: { path: '^lambdas/archive/drop\\.ts$' },
      to: { path: ARCHIVE_FOLDER, pathNot: DROP_FILE },
    },

    // What Lambda runs.
    folderMayImport('adapters', '^adapters/', '^(adapters|core)/', 'The ports of core/, made real.'),
    folderMayImport(
      'lambdas',
      '^lambdas/',
      '^(lambdas|adapters|core)/',
      'Wiring: parse, call the core, answer.',
    ),

    // What deploys it.
    folderMayImport(
      'lib',
      '^lib/',
      '^(lib/|core/config(/|\\.ts$)|core/errors\\.ts$)',
      'The CDK names the files of the handlers, and never imports them.',
    ),
    folderMayImport(
      'bin-app-and-package',
      '^bin/(app|package)\\.ts$',
      '^(lib/|core/config(/|\\.ts$)|core/errors\\.ts$)',
      'The CDK app composes the stack from the configuration.',
    ),
    {
      name: 'only-infrastructure-imports-the-cdk',
      comment: 'aws-cdk-lib in a bundle would be 100 MB of somebody else’s work at every cold start.',
      severity: 'error',
      from: { path: TOP_LEVEL_FOLDERS, pathNot: '^(lib/|bin/app\\.ts$|test/)' },
      to: { path: npmPackage('aws-cdk-lib', 'constructs') },
    },
    {
      name: 'infrastructure-calls-no-aws',
      comment: 'Synthesising needs no credentials and no network.',
      severity: 'error',
      from: { path: '^(lib/|bin/app\\.ts$)' },
      to: { path: npmPackage('@aws-sdk', '@smithy', 'postgres') },
    },

    // What a person runs.
    folderMayImport(
      'bin-archive',
      '^bin/(?!(app|package)\\.ts$)',
      '^(bin/(?!(app|package)\\.ts$)|adapters/|core/)',
      'The local command is the same core on the same adapters.',
    ),
    folderMayImport(
      'acceptance',
      '^acceptance/',
      '^(acceptance|core)/',
      'It sees the product as an account does: through AWS and the CDK. The core says what outputs look like.',
    ),
    folderMayImport(
      'local',
      '^local/',
      '^(local|adapters|core)/',
      'The local stack runs what the CDK synthesised, by path, as AWS would.',
    ),
    folderMayImport(
      'bench',
      '^bench/',
      '^((bench|local|adapters|core)/|bin/archive/steps\\.ts$)',
      'Benchmarks measure the core and its adapters.',
    ),
    {
      name: 'nobody-imports-the-bench',
      severity: 'error',
      from: { path: TOP_LEVEL_FOLDERS, pathNot: '^bench/' },
      to: { path: '^bench/' },
    },
    {
      name: 'tests-of-the-core-need-no-server',
      comment:
        'The mutations of core/ are tried by the tests of core/, without a stack. What needs one is a scenario.',
      severity: 'error',
      from: { path: '^test/core/' },
      to: { path: '^test/support/(database|own-server)\\.ts$' },
    },
    {
      name: 'nobody-imports-tests',
      severity: 'error',
      from: { path: TOP_LEVEL_FOLDERS, pathNot: '^test/' },
      to: { path: '^test/' },
    },
  ],

  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(cdk\\.out|dist|coverage|\\.local)/' },
    tsConfig: { fileName: 'tsconfig.json' },
    // Sees `import type` as well, and says of each import whether it is one.
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types', 'default'],
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.json', '.d.ts'],
    },
    moduleSystems: ['es6', 'cjs'],
  },
};
