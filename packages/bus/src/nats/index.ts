export type { Lease, Leases } from './lease.ts';
export { connectNats, leaseName, type NatsTransport } from './nats-transport.ts';
export type { NatsOptions } from './options.ts';
