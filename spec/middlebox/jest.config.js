import root from '../../jest.config.js';

/** The specs that need nginx; everything else is the root's. @type {import('jest').Config} */
export default {
  ...root,
  rootDir: '../..',
  roots: ['<rootDir>/spec/middlebox'],
  testPathIgnorePatterns: ['/node_modules/'],
  maxWorkers: 2,
  testTimeout: 120_000,
};
