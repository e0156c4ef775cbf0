/** Something of everything that a cluster does for its users, so that all that is counted has been counted. */
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { ALICE, BOB, REALWORLD, SISTER, TestSession } from '@fosp/testkit';
import { DEAD, type Stage } from './stage.ts';

const RIGHTS = [
  ...['data', 'subscriptions', 'attachment', 'children'].flatMap((what) => [`${what}-read`, `${what}-write`]),
  'children-delete',
];
const FILE = Buffer.alloc(300_000, 'tea');

export interface Users extends AsyncDisposable {
  /** Of the cluster: a tree that all others may work in, and one of them. */
  readonly alice: TestSession;
  readonly bob: TestSession;
  /** Of the other provider. */
  readonly sister: TestSession;
}

/** Makes accounts and trees, and has each told of changes in the others' trees. */
export async function moveIn({ cluster, realworld }: Stage): Promise<Users> {
  const alice = await TestSession.register(cluster.url, ALICE);
  const bob = await TestSession.register(cluster.url, BOB);
  const sister = await realworld.register('sister');
  const shares: readonly (readonly [TestSession, string, readonly string[]])[] = [
    [alice, ALICE, [BOB, SISTER]],
    [sister, SISTER, [ALICE]],
  ];
  for (const [session, tree, guests] of shares) {
    const told = { events: ['created', 'updated', 'deleted'], depth: -1 };
    await session.succeed('UPDATE', tree, {
      body: {
        acl: { users: Object.fromEntries(guests.map((guest) => [guest, RIGHTS])) },
        subscriptions: Object.fromEntries(guests.map((guest) => [guest, told])),
      },
    });
  }
  const close = async () => {
    await Promise.all([alice, bob, sister].map((session) => session.close()));
  };
  return { alice, bob, sister, [Symbol.asyncDispose]: close };
}

/** Every type of request, by users of both providers in trees of both; `round` names what is made, and removed again. */
export async function oneOfEverything(stage: Stage, { alice, bob, sister }: Users, round: number): Promise<void> {
  const name = `round-${round}`;
  for (const [guest, tree] of [[bob, ALICE] as const, [sister, ALICE] as const, [alice, SISTER] as const]) {
    const object = `${tree}/${name}`;
    await guest.succeed('CREATE', object, { body: { data: 'tea' } });
    await guest.succeed('UPDATE', object, { body: { data: 'milk' } });
    await guest.succeed('SELECT', object);
    await guest.succeed('LIST', tree);
    await guest.succeed('WRITE', object, { body: FILE, binary: true });
    await guest.succeed('READ', object);
    await guest.succeed('DELETE', object);
  }
  // Each of three changes of two authors to bob and sister in alice's tree, and of alice's own in sister's.
  await Promise.all([bob, alice, sister].map((session) => session.nextNotification()));
  await logInAndFail(stage);
}

/** One who knows the password, and looks for what is not there; one who does not; one who speaks no WebSocket. */
async function logInAndFail({ cluster }: Stage): Promise<void> {
  const session = await TestSession.logIn(cluster.url, BOB);
  for (const nowhere of [`${BOB}/nowhere`, `nobody@${REALWORLD}`, `nobody@${DEAD}`, 'nobody@unheard-of.lit']) {
    await session.request('SELECT', nowhere);
  }
  await session.close();
  await upgradeWrongly(cluster.url);
  const stranger = await TestSession.connect(cluster.url, 'a stranger');
  await stranger.request('AUTHENTICATE', '*', { body: { name: BOB, password: 'guessed' } });
  await stranger.close();
}

/** Asks for a WebSocket of a version that there is not. */
async function upgradeWrongly(url: string): Promise<void> {
  const headers = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '1' };
  const request = httpRequest(url.replace('ws:', 'http:'), { headers }).end();
  await once(request, 'response').catch(() => undefined);
  request.destroy();
}
