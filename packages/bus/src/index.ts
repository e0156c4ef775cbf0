export * from './bus.ts';
export * from './bus-options.ts';
export * from './calls.ts';
export * from './events.ts';
export { type InProcessOptions, InProcessTransport } from './in-process.ts';

export { totalOf } from './remote-lines.ts';
export * from './transport.ts';
