export type { BusEnds, MakeEnds } from './ends.ts';
export { type SuiteOptions, transportSuite } from './transport-suite.ts';
