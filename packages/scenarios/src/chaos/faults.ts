/** What may befall the servers under a cluster. Each resolves once all is back. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Infrastructure, TcpProxy } from '@fosp/testkit';

export interface FaultParts {
  readonly infrastructure: Infrastructure;
  /** Between the services and S3. */
  readonly s3: TcpProxy;
  /** Milliseconds that something is away. */
  readonly away: number;
}

export interface Fault {
  readonly name: string;
  befall(parts: FaultParts): Promise<void>;
}

const FLUSHES = 10;

export const FAULTS: readonly Fault[] = [
  {
    name: 'Redis flushed again and again',
    async befall({ infrastructure, away }) {
      for (let flush = 0; flush < FLUSHES; flush++) {
        await infrastructure.redis.command('FLUSHALL');
        await pause(away / FLUSHES);
      }
    },
  },
  {
    name: 'Redis killed',
    async befall({ infrastructure, away }) {
      await infrastructure.redis.kill();
      await pause(away);
      await infrastructure.redis.restart();
    },
  },
  {
    name: 'Redis silent',
    async befall({ infrastructure, away }) {
      infrastructure.redis.pause();
      await pause(away);
      infrastructure.redis.resume();
    },
  },
  { name: 'NATS restarted', befall: ({ infrastructure }) => infrastructure.nats.restart() },
  {
    name: 'NATS killed',
    async befall({ infrastructure, away }) {
      await infrastructure.nats.kill();
      await pause(away);
      await infrastructure.nats.restart();
    },
  },
  { name: 'Postgres restarted', befall: ({ infrastructure }) => infrastructure.postgres.restart() },
  {
    name: 'Postgres killed',
    async befall({ infrastructure, away }) {
      await infrastructure.postgres.kill();
      await pause(away);
      await infrastructure.postgres.start();
    },
  },
  {
    name: 'S3 unreachable',
    async befall({ s3, away }) {
      s3.refuse();
      await pause(away);
      s3.resume();
    },
  },
  {
    name: 'S3 silent',
    async befall({ s3, away }) {
      s3.pause();
      await pause(away);
      s3.resume();
    },
  },
];
