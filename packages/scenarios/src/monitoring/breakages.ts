/**
 * For each alert what it watches, broken as it may break: the server killed, the way to it cut, the certificate not renewed.
 * Each resolves once it is broken, with what mends it.
 */
import type { Pod, ServiceName } from '@fosp/testkit';
import { SERVICES } from '@fosp/testkit';
import { fillStream } from './full-stream.ts';
import type { Stage } from './stage.ts';
import { crowd, floodLogins, lockObjects, stallMessages, stutter } from './strain.ts';

/** An alert by its name, and labels that it must have. */
export interface Expected {
  readonly alert: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export type Mend = () => Promise<void>;

export interface Breakage {
  readonly what: string;
  readonly expected: readonly Expected[];
  befall(stage: Stage): Promise<Mend>;
}

const named = (...alerts: string[]): Expected[] => alerts.map((alert) => ({ alert }));
const unreachable = (dependency: string): Expected => ({ alert: 'FospDependencyUnreachable', labels: { dependency } });
const gone = (service: string): Expected => ({ alert: 'FospServiceGone', labels: { gone: service } });

/** As if it lost power, for good. */
async function killAll(pods: readonly Pod[]): Promise<Mend> {
  await Promise.all(pods.map((pod) => pod.kill()));
  return async () => {
    await Promise.all(pods.map((pod) => pod.start()));
  };
}

function serviceKilled(service: ServiceName): Breakage {
  return {
    what: `every process of ${service} killed with kill -9`,
    expected: [gone(service), ...named('FospPodDown')],
    befall: ({ cluster }) => killAll(cluster.podsOf(service)),
  };
}

const SERVERS: readonly Breakage[] = [
  {
    what: 'Postgres killed',
    expected: [...named('FospRequestsFail', 'FospRequestsFailSlowly'), unreachable('Postgres')],
    async befall({ infrastructure }) {
      await infrastructure.postgres.kill();
      return () => infrastructure.postgres.start();
    },
  },
  {
    what: 'Redis killed',
    expected: [unreachable('Redis')],
    async befall({ infrastructure }) {
      await infrastructure.redis.kill();
      return () => infrastructure.redis.restart();
    },
  },
  {
    what: 'NATS killed',
    expected: [unreachable('NATS'), gone('gateway'), ...named('FospPartitionsUnread')],
    async befall({ infrastructure }) {
      await infrastructure.nats.kill();
      return () => infrastructure.nats.restart();
    },
  },
  {
    what: 'S3 refuses connections',
    expected: [unreachable('the file store')],
    async befall({ ways }) {
      ways.s3.refuse();
      return async () => ways.s3.resume();
    },
  },
  {
    what: 'connections to S3 are cut four times a second',
    expected: named('FospFilesFail'),
    async befall({ ways }) {
      const timer = setInterval(() => ways.s3.cut(), 250);
      return async () => clearInterval(timer);
    },
  },
  {
    what: 'Postgres answers late by 0.8 s',
    expected: named('FospRequestsSlow'),
    async befall(stage) {
      stage.lateness = 400;
      return async () => {
        stage.lateness = 0;
      };
    },
  },
  {
    what: 'somebody holds a lock on the table of objects',
    expected: named('FospPostgresWaits'),
    befall: lockObjects,
  },
  {
    what: 'the stream of changes is full',
    expected: named('FospStreamRefuses', 'FospNotificationsLate'),
    befall: ({ infrastructure }) => fillStream(infrastructure.nats, 'changes'),
  },
];

const PROCESSES: readonly Breakage[] = [
  ...SERVICES.map(serviceKilled),
  {
    what: 'one of two objects killed',
    expected: named('FospPodDown'),
    befall: ({ cluster }) => killAll(cluster.podsOf('objects').slice(1)),
  },
  {
    what: 'one of two objects killed and started three times',
    expected: named('FospPodRestarts'),
    async befall({ cluster }) {
      for (let time = 0; time < 3; time++) {
        const mend = await killAll(cluster.podsOf('objects').slice(1));
        await mend();
      }
      return async () => undefined;
    },
  },
  {
    what: 'a process of notifications held still every other half second',
    expected: named('FospEventLoopLags'),
    befall: async ({ cluster }) => stutter(cluster.podsOf('notifications')[0]),
  },
];

const LIMITS: readonly Breakage[] = [
  {
    what: 'connections up to nine tenths of the limit of a gateway',
    expected: [{ alert: 'FospNearLimit', labels: { limit: 'connections' } }],
    befall: (stage) => crowd(stage, 0.9),
  },
  {
    what: 'twice as many connections as a gateway may have',
    expected: named('FospTurnsAway'),
    befall: (stage) => crowd(stage, 2),
  },
  {
    what: 'messages that begin and do not go on',
    expected: [{ alert: 'FospNearLimit', labels: { limit: 'bytes in transit' } }],
    befall: stallMessages,
  },
  {
    what: 'more logins than can be hashed',
    expected: [{ alert: 'FospNearLimit', labels: { limit: 'logins' } }],
    befall: floodLogins,
  },
];

const OUTSIDE: readonly Breakage[] = [
  {
    what: 'a certificate that holds for ten days',
    expected: named('FospCertificateNotRenewed'),
    befall: (stage) => certified(stage, 10),
  },
  {
    what: 'a certificate that holds for two days',
    expected: named('FospCertificateEnds', 'FospCertificateNotRenewed'),
    befall: (stage) => certified(stage, 2),
  },
  {
    what: 'the way to five other domains cut',
    expected: named('FospPeerWaits', 'FospPeersUnreachable'),
    async befall({ ways }) {
      ways.realworld.refuse();
      return async () => ways.realworld.resume();
    },
  },
];

async function certified({ certify }: Stage, days: number): Promise<Mend> {
  await certify(days);
  return () => certify(60);
}

export const BREAKAGES: readonly Breakage[] = [...LIMITS, ...OUTSIDE, ...SERVERS, ...PROCESSES];
