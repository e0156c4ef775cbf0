export type { Leases } from './lease.ts';
export { connectNats, leaseName, type NatsTransport } from './nats-transport.ts';
export type { NatsOptions } from './options.ts';
export type { Lease } from './recorded-lease.ts';
export { addNatsLevels, createNatsTelemetry } from './telemetry.ts';
