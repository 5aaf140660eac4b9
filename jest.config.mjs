const transform = {
  '^.+\\.ts$': [
    '@swc/jest',
    {
      jsc: {
        target: 'es2023',
        parser: { syntax: 'typescript', decorators: true },
        transform: {
          legacyDecorator: true,
          decoratorMetadata: true,
          useDefineForClassFields: false,
        },
        keepClassNames: true,
      },
      module: { type: 'es6' },
    },
  ],
};

const common = {
  rootDir: '.',
  testEnvironment: 'node',
  transform,
  extensionsToTreatAsEsm: ['.ts'],
  // Sources import each other as `./x.js`, the name they have once compiled.
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': ['$1.ts', '$1.js'],
    '^@millrace/(sdk|testkit)$': '<rootDir>/plugins/$1/src/index.ts',
    '^@millrace/plugin-(\\w+)$': '<rootDir>/plugins/$1/src/index.ts',
  },
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  modulePathIgnorePatterns: [
    '<rootDir>/dist/',
    '<rootDir>/web/dist/',
    '<rootDir>/plugins/[^/]+/dist/.*\\.test\\.js$',
  ],
};

const servers = {
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
};

/**
 * Rings: `unit` is pure; `int` has real servers in one process; `fault` kills real processes;
 * `e2e` runs the whole product.
 */
export default {
  projects: [
    {
      ...common,
      displayName: 'unit',
      testMatch: ['<rootDir>/{src,plugins,test,web/src}/**/*.test.ts'],
      testPathIgnorePatterns: [...common.testPathIgnorePatterns, '\\.(int|fault|e2e)\\.test\\.ts$'],
    },
    {
      ...common,
      ...servers,
      displayName: 'int',
      testMatch: ['<rootDir>/{src,plugins,test}/**/*.int.test.ts'],
    },
    {
      ...common,
      ...servers,
      displayName: 'fault',
      testMatch: ['<rootDir>/test/faults/**/*.fault.test.ts'],
    },
    {
      ...common,
      ...servers,
      displayName: 'e2e',
      testMatch: ['<rootDir>/test/e2e/**/*.e2e.test.ts'],
    },
  ],
  testTimeout: 60_000,
};
