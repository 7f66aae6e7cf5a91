import base from '../../jest.config.js';

/** What the contract suite cannot ask of the embedded server, and why: whole files. */
const excludedFiles = {
  tls: 'it speaks no TLS, has no users by certificate, and tells of no https URL',
};

/** Single tests, by words of their names. */
const excludedTests = {
  'a cluster rebuilt from the same flags': 'it keeps nothing on disk that could be lost',
  'what is not JSON stays text': 'asks for /metrics, which it does not have',
  'reaches etcd.s v3 API': 'it has none',
  'a member joins, serves, and leaves': 'a member that is added never runs',
  'a peer URL belongs to one member':
    'adds a second member while one is missing, for which etcd wants a flag',
  'a server whose v2 API is switched off': 'it has no other API',
};

/** @type {import('jest').Config} */
export default {
  ...base,
  rootDir: '../..',
  roots: ['<rootDir>/spec/contract'],
  globalSetup: '<rootDir>/spec/support/embedded/embedded-library.js',
  moduleNameMapper: {
    // Whoever starts local etcd processes gets embedded members.
    '/local-cluster\\.js$': '<rootDir>/spec/support/embedded/embedded-local-cluster.ts',
    ...base.moduleNameMapper,
  },
  testPathIgnorePatterns: [
    '/node_modules/',
    ...Object.keys(excludedFiles).map((file) => `/${file}\\.contract\\.spec`),
  ],
  testNamePattern: `^(?!.*(${Object.keys(excludedTests).join('|')}))`,
};
