/** More than a process was made for. Each begins at once, and resolves with what ends it. */
import { ALICE, BOB, type Pod, TestSession, WireClient } from '@fosp/testkit';
import type { Stage } from './stage.ts';

type End = () => Promise<void>;

/** Of a gateway of the stage: few, so that a test comes to them soon. */
export const STRAIN_LIMITS = {
  FOSP_LIMIT_CONNECTIONS: '60',
  FOSP_TRANSFER_MEMORY: '2 MiB',
  FOSP_HASH_MEMORY: '8 MiB',
  FOSP_LIMIT_HASHES: '1',
  FOSP_LIMIT_HASHES_WAITING: '8',
};
const CONNECTIONS = Number(STRAIN_LIMITS.FOSP_LIMIT_CONNECTIONS);
/** Of an object that is not too large. */
const HALF = ' '.repeat(200_000);

function gatewayOf({ cluster }: Stage): string {
  const [gateway] = cluster.podsOf('gateway');
  return gateway?.process.url ?? '';
}

/** As many connections to one gateway as this part of what it may have, tried again and again where it refuses. */
export async function crowd(stage: Stage, part: number): Promise<End> {
  const url = gatewayOf(stage);
  const ending = new AbortController();
  const sit = async () => {
    while (!ending.signal.aborted) {
      try {
        const client = await WireClient.open(url);
        const ended = new Promise<void>((resolve) => ending.signal.addEventListener('abort', () => resolve()));
        await Promise.race([ended, client.closed]);
        await client.close();
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
  };
  const seats = Array.from({ length: Math.ceil(CONNECTIONS * part) }, sit);
  return async () => {
    ending.abort();
    await Promise.all(seats);
  };
}

/** Users begin to send objects to one gateway, and do not go on. */
export async function stallMessages(stage: Stage): Promise<End> {
  const url = gatewayOf(stage);
  const ending = new AbortController();
  const ended = new Promise<void>((resolve) => ending.signal.addEventListener('abort', () => resolve()));
  const again = repeat(16, async () => {
    const session = await TestSession.logIn(url, BOB);
    session.wire.sendPart(`UPDATE ${BOB} 9\r\n\r\n${HALF}`);
    await Promise.race([ended, session.wire.closed]);
    session.wire.terminate();
  });
  return async () => {
    ending.abort();
    await again();
  };
}

/** Many people try passwords at one gateway. */
export async function floodLogins(stage: Stage): Promise<End> {
  const url = gatewayOf(stage);
  return repeat(30, async () => {
    const session = await TestSession.connect(url, 'somebody');
    for (let time = 0; time < 20; time++) {
      await session.request('AUTHENTICATE', '*', { body: { name: BOB, password: 'guessed' } });
    }
    await session.close();
  });
}

/** Many ask for lists, and none can be read. */
export async function lockObjects({ cluster, infrastructure: { postgres, environment } }: Stage): Promise<End> {
  const held = 'BEGIN; LOCK TABLE objects IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(3600)';
  const holding = postgres.sql(held, environment['FOSP_POSTGRES_URL']).catch(() => undefined);
  const again = repeat(40, async () => {
    const session = await TestSession.logIn(cluster.url, ALICE);
    for (let time = 0; time < 1000; time++) {
      await session.request('LIST', ALICE);
    }
  });
  return async () => {
    await postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'BEGIN; LOCK%'");
    await holding;
    await again();
  };
}

/** Half of each second it does nothing. */
export async function stutter(pod: Pod | undefined): Promise<End> {
  const pid = pod?.process.pid ?? 0;
  let isStill = false;
  const timer = setInterval(() => {
    isStill = !isStill;
    process.kill(pid, isStill ? 'SIGSTOP' : 'SIGCONT');
  }, 500);
  return async () => {
    clearInterval(timer);
    process.kill(pid, 'SIGCONT');
  };
}

/** So many at a time, until ended; what fails is tried again. */
function repeat(times: number, work: () => Promise<void>): End {
  let isOver = false;
  const loops = Array.from({ length: times }, async () => {
    while (!isOver) {
      await work().catch(() => new Promise((resolve) => setTimeout(resolve, 200)));
    }
  });
  return async () => {
    isOver = true;
    await Promise.all(loops);
  };
}
