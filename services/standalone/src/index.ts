export type { Addresses } from './addresses.ts';
export { STANDALONE_VARIABLES } from './config.ts';
export { createStandalone, type Standalone, type StandaloneOptions } from './standalone.ts';
