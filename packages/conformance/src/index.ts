/**
 * Black-box cases that any FOSP server can be held to, by URL. `runConformance` runs them all; a test runner registers
 * each of `CASES`, or of `FEDERATION_CASES`, as a test of its own and lets `createRun(…).execute` run it.
 */
export type { Account, Case, Context, Place } from './case.ts';
export { CASES, FEDERATION_CASES } from './cases/index.ts';
export { type ConformanceOptions, chooseCases, runConformance } from './conformance.ts';
export type { Certification } from './http-get.ts';
export { Listener, type ListenerOptions } from './listener.ts';
export { resultText, summary } from './report.ts';
export { createRun, type Result, type Run, type RunOptions } from './run.ts';
