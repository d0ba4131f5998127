import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const TYPESCRIPT = ['**/*.ts'];

// Files that node or a tool loads as plain JavaScript.
const JAVASCRIPT = ['**/*.{js,mjs,cjs}'];

const CONFIGURATION_COMES_FROM_THE_EDGE = {
  object: 'process',
  property: 'env',
  message: 'Configuration is parsed once, at the edge, and handed down as a value.',
};

const TIME_IS_A_PARAMETER = [
  { object: 'Date', property: 'now', message: 'Take a Clock (core/ports.ts).' },
  { object: 'performance', property: 'now', message: 'Take a Clock (core/ports.ts).' },
];

/** `...{ a, b }` means `a, b`. */
const NO_SPREAD_LITERALS = ['ObjectExpression', 'ArrayExpression'].map((literal) => ({
  selector: `SpreadElement[argument.type='${literal}']`,
  message: 'Write the members themselves.',
}));

export default defineConfig(
  globalIgnores(['cdk.out/', 'dist/', 'coverage/', '.local/', '**/*.d.ts']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,

  {
    files: TYPESCRIPT,
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      // A switch over a closed set must name every member or say `default`; so a new state cannot be forgotten.
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: true },
      ],
      // verbatimModuleSyntax wants it, and the import law tells values from types by it.
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-import-type-side-effects': 'error',
      // A number in a message is a number; only what prints as [object Object] or undefined is refused.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // `() => stream.destroy()` is how one writes a callback; elsewhere a void value is a mistake.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // A promise that nobody awaits loses its error; `void` in front of it says that this is meant.
      '@typescript-eslint/no-floating-promises': ['error', { checkThenables: true }],
      // tsc's noUnusedLocals decides about names; this adds caught errors and lets `_` say "not needed".
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      eqeqeq: 'error',
      'no-restricted-syntax': ['error', ...NO_SPREAD_LITERALS],
      'no-console': 'error',
      'max-lines': ['error', { max: 250, skipBlankLines: true }],
    },
  },

  {
    // The domain and what makes its ports real know neither the environment nor the time.
    files: ['{core,adapters,lib}/**/*.ts'],
    rules: { 'no-restricted-properties': ['error', CONFIGURATION_COMES_FROM_THE_EDGE] },
  },
  {
    files: ['core/**/*.ts'],
    rules: {
      'no-restricted-properties': ['error', CONFIGURATION_COMES_FROM_THE_EDGE, ...TIME_IS_A_PARAMETER],
      'no-restricted-globals': ['error', 'process', 'setTimeout', 'setInterval', 'fetch'],
      'no-restricted-syntax': [
        'error',
        ...NO_SPREAD_LITERALS,
        { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'Take a Clock.' },
      ],
    },
  },

  {
    files: ['{adapters,bin,lambdas}/**/*.ts'],
    ignores: ['adapters/postgres/connect.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        ...NO_SPREAD_LITERALS,
        {
          selector:
            "CallExpression[callee.property.type='Identifier'][callee.property.name='begin'][arguments.length>0]",
          message:
            "Take inTransaction(): in a transaction of the driver's own, a lost connection ends the process.",
        },
      ],
    },
  },

  {
    // A CDK construct is made for its effect on the scope.
    files: ['{bin,lib}/**/*.ts'],
    rules: { 'no-new': 'off' },
  },

  {
    // What a person runs speaks on the terminal; what Lambda runs logs through the console, which it formats as JSON.
    files: ['{bin,bench}/**/*.ts', 'local/demo.ts', 'lambdas/runtime/log.ts'],
    rules: { 'no-console': 'off' },
  },

  {
    files: ['test/**/*.ts'],
    rules: {
      // expect(object.method) hands a method over unbound.
      '@typescript-eslint/unbound-method': 'off',
      // What is surely there fails the test if it is not.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Fakes answer promises without awaiting anything, and do nothing on purpose.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      // expect.any(), JSON.parse() and SQL rows are `any`; an expectation checks them.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      // A scenario reads better in one piece.
      'max-lines': 'off',
    },
  },

  {
    files: JAVASCRIPT,
    languageOptions: { globals: { process: 'readonly', console: 'readonly' } },
  },
  {
    files: ['**/*.cjs'],
    languageOptions: {
      sourceType: 'commonjs',
      globals: { module: 'writable', require: 'readonly', __dirname: 'readonly' },
    },
  },
);
