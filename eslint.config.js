import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import rxjsX from 'eslint-plugin-rxjs-x';
import tseslint from 'typescript-eslint';

/**
 * Imports in lib/ run one way: testing -> client -> v2, v3 -> watch -> cluster -> transport -> insight -> options, check ->
 * errors -> util. A floor may import from those below it alone; v2 and v3 stand side by side and never know each other.
 */
const floors = [
  'util',
  'errors',
  'check',
  'options',
  'insight',
  'transport',
  'cluster',
  'watch',
  'v2',
  'v3',
  'client',
  'testing',
];
/** Those that a floor must not know: what is above it, and its neighbour. */
const strangers = (floor) => [...(floor === 'v3' ? ['v2'] : []), ...floors.slice(floors.indexOf(floor) + 1)];
const oneWayImports = floors.slice(0, -1).map((floor) => ({
  files: [`lib/${floor}.ts`, `lib/${floor}/**/*.ts`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: strangers(floor).map((stranger) => ({
          regex: `^(\\./|(\\.\\./)+|#platform/)${stranger}(/|\\.js$)`,
          message: `${floor} does not lie above ${stranger} and must not know it.`,
        })),
      },
    ],
  },
}));

export default defineConfig(
  globalIgnores(['dist/', 'coverage/', 'node_modules/']),
  js.configs.recommended,
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },

  {
    files: ['**/*.ts'],
    extends: [
      tseslint.configs.strictTypeChecked,
      tseslint.configs.stylisticTypeChecked,
      rxjsX.configs.strict,
    ],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // An error's `cause` must never hold a request's configuration, so it is not always the caught error.
      'preserve-caught-error': 'off',
      // `() => subject.next()` and `if (closed) return done();` read well.
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      // A name means one thing wherever it can be read.
      '@typescript-eslint/no-shadow': ['error', { allow: ['_'] }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],

      // Whatever gives an Observable is named with a `$`: get$, clusterState$. Operators give functions, callbacks
      // handed in by a caller (`probe`, `send`) keep the name of what they do.
      'rxjs-x/finnish': [
        'error',
        {
          functions: true,
          methods: true,
          properties: true,
          objects: false,
          parameters: false,
          variables: false,
          strict: false,
          names: { '^#?(probe|send|source)$': false },
        },
      ],
      // What catchError was given may be thrown on.
      'rxjs-x/throw-error': ['error', { allowThrowingAny: false, allowThrowingUnknown: true }],
      // An empty Observable is an error here, and EmptyError says so.
      'rxjs-x/no-ignored-default-value': 'off',
    },
  },

  // ClusterState$ is a BehaviorSubject by design, and nobody outside can push into it.
  {
    files: ['lib/client/base-client.ts', 'lib/cluster/**/*.ts'],
    rules: { 'rxjs-x/no-exposed-subjects': 'off', 'rxjs-x/no-subclass': 'off' },
  },
  ...oneWayImports,

  {
    files: ['spec/**/*.ts'],
    rules: {
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/unbound-method': 'off', // expect(stub.method) is never a call
      'rxjs-x/finnish': 'off',
      'rxjs-x/no-floating-observables': 'off', // expectObservable(...) and "nothing was sent" cases
      'rxjs-x/no-ignored-error': 'off', // an unhandled error fails the spec
      'rxjs-x/no-implicit-any-catch': ['error', { allowExplicitAny: false, allowExplicitError: true }],
      'rxjs-x/no-exposed-subjects': 'off',
      'rxjs-x/no-misused-observables': 'off',
    },
  },
  // Programs for a person at a terminal: what is missing or goes wrong unhandled should end them.
  {
    files: ['examples/**/*.ts', 'bench/**/*.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off', 'rxjs-x/no-ignored-error': 'off' },
  },

  {
    files: ['**/*.js', '**/*.cjs'],
    languageOptions: {
      globals: {
        URL: 'readonly',
        console: 'readonly',
        module: 'writable',
        process: 'readonly',
        require: 'readonly',
        setImmediate: 'readonly',
        setTimeout: 'readonly',
      },
    },
  },
);
