import root from '../../jest.config.js';

/** The specs that need Chromium, and the package built; everything else is the root's. @type {import('jest').Config} */
export default {
  ...root,
  rootDir: '../..',
  roots: ['<rootDir>/spec/browser'],
  testPathIgnorePatterns: ['/node_modules/'],
  maxWorkers: 2,
  testTimeout: 120_000,
};
