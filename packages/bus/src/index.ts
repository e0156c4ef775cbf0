export * from './bus.ts';
export * from './calls.ts';
export * from './events.ts';
export * from './transport.ts';
