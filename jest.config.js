/** What decides whether something is archived, proven and dropped. */
const DECIDING = [
  'core/archive/{detect,quarantine,verify,commit,drop,request,report}.ts',
  'core/expiry.ts',
  'core/reverify/steps.ts',
  'core/proof/*.ts',
];

export default {
  testEnvironment: '<rootDir>/test/support/environment.ts',
  testSequencer: '<rootDir>/test/support/sequencer.js',
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  // `npm run package` makes a package of the same name there.
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  // zod brings its messages in 63 languages, and jest would compile them anew for each test file.
  moduleNameMapper: { '/locales/index\\.js$': '<rootDir>/node_modules/zod/v4/locales/en.js' },
  extensionsToTreatAsEsm: ['.ts'],
  // Test code is TypeScript that Node could run as it is; swc strips the types for jest's own loader.
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' }, module: { type: 'es6' } },
    ],
  },
  // Measured by `npm test` (--coverage), and not where single files are run.
  collectCoverageFrom: DECIDING,
  coverageReporters: [['text', { skipFull: true }]],
  coverageThreshold: Object.fromEntries(
    DECIDING.map((files) => [`./${files}`, { branches: 100, functions: 100, lines: 100, statements: 100 }]),
  ),
  // The tests share one local stack and two cores, and wait for a tenth of the time: beside other work, a whole run takes 802 s with
  // three workers, and 986 s with two.
  maxWorkers: 3,
  // With --experimental-vm-modules jest frees no module of a file that has run (jest 14605, Node 63186). A worker held 1.5 GB in the
  // end and spent its time on collecting it: a whole run took 1,269 seconds of processor, and takes 1,174.
  // So its heap begins at a size (package.json) at which it is not collected while it grows: the tests without a database took
  // 60 to 65 seconds of processor, and take 56 to 58.
  workerIdleMemoryLimit: '300MB',
  // Ends what hangs, and nothing else: beside a second suite everything takes several times as long. Seen to fail with one
  // minute there, in a test that synthesises.
  testTimeout: 600_000,
};
