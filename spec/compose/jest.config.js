import root from '../../jest.config.js';

/** The specs that need a Docker engine; everything else is the root's. @type {import('jest').Config} */
export default {
  ...root,
  rootDir: '../..',
  roots: ['<rootDir>/spec/compose'],
  testPathIgnorePatterns: ['/node_modules/'],
  maxWorkers: 2,
  testTimeout: 180_000,
};
