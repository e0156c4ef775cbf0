export type { BusEnds, MakeEnds } from './ends.ts';
export { transportSuite } from './transport-suite.ts';
