/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/spec'],
  testMatch: ['**/*.spec.ts'],
  // They need more than Node and an etcd, and have configurations of their own.
  testPathIgnorePatterns: [
    '/node_modules/',
    '<rootDir>/spec/browser/',
    '<rootDir>/spec/compose/',
    '<rootDir>/spec/middlebox/',
  ],
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    '^#platform/(.*)\\.js$': '<rootDir>/lib/$1',
    '^rxetcd$': '<rootDir>/lib/index.ts',
    '^rxetcd/v3$': '<rootDir>/lib/index.v3.ts',
    '^rxetcd/testing$': '<rootDir>/lib/testing/index.ts',
  },
  transform: {
    '^.+\\.ts$': [
      'ts-jest',
      // On top of the root's tsconfig.json: Jest runs CommonJS. Types are checked once for all, before (`npm test`).
      {
        tsconfig: {
          module: 'commonjs',
          moduleResolution: 'bundler',
          noEmit: false,
          sourceMap: true,
          isolatedModules: true,
        },
      },
    ],
  },
  testRunner: '<rootDir>/spec/support/jest/runner.cjs',
  reporters: ['default', '<rootDir>/spec/support/jest/reporter.cjs'],
  testSequencer: '<rootDir>/spec/support/jest/longest-first.cjs',
  showSeed: true,
  // Most specs wait for servers: more than the cores that they share.
  maxWorkers: 3,
  // Of the cases that wait side by side (`test.concurrent`): all of a file.
  maxConcurrency: 20,
  testTimeout: 60_000,
  collectCoverageFrom: ['lib/**/*.ts', '!lib/index*.ts', '!lib/**/*.browser.ts'],
  coverageProvider: 'v8',
  coverageThreshold: { global: { lines: 95, branches: 90, functions: 95, statements: 95 } },
};
