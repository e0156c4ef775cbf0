import { OBJECTS, type UserEventHeaders, userSubject } from '@fosp/bus';
import { TestSession } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { HeldCalls, startGateway, type TestGateway } from './harness.ts';

const ALICE = 'alice@wonderland.lit';
const QUEEN = 'queen@wonderland.lit';

function message(path: string, size = 0): Buffer {
  return Buffer.from(`UPDATED ${QUEEN}${path}\r\n\r\n{"data":"${'x'.repeat(size)}"}`);
}

function tell(
  gateway: TestGateway,
  headers: Partial<Extract<UserEventHeaders, { event: 'notification' }>>,
  body: Buffer,
): void {
  const complete = { event: 'notification', tree: QUEEN, sequence: '1', part: '0', source: QUEEN, ...headers } as const;
  gateway.bus.publishToUser(ALICE, complete, body);
}

describe('notifications', () => {
  it('F58 reach all sessions of the user as they are, from AUTHENTICATE on', async () => {
    const gateway = await startGateway();
    const first = await gateway.logIn('alice');
    const second = await gateway.logIn('alice');
    const queen = await gateway.logIn('queen');
    const stranger = await TestSession.connect(gateway.url);
    tell(gateway, {}, message('/a'));
    for (const session of [first, second]) {
      expect(await session.nextNotification()).toMatchObject({
        event: 'UPDATED',
        resource: `${QUEEN}/a`,
        binary: false,
      });
    }
    gateway.bus.publishToUser(QUEEN, { event: 'revoked', except: '' });
    await queen.wire.closed;
    expect(queen.notifications.size + stranger.notifications.size).toBe(0);
  });

  it('F58 come once each and in the order of their tree, whatever is repeated or late', async () => {
    const gateway = await startGateway();
    const alice = await gateway.logIn('alice');
    const told: [tree: string, sequence: string, part: string][] = [
      [QUEEN, '9', '0'],
      [QUEEN, '9', '0'],
      [QUEEN, '9', '1'],
      [QUEEN, '8', '5'],
      [QUEEN, '10', '0'],
      [QUEEN, '9', '1'],
      [ALICE, '3', '0'],
      [QUEEN, '10', '1'],
    ];
    for (const [tree, sequence, part] of told) {
      tell(gateway, { tree, sequence, part }, message(`/${tree.slice(0, 1)}-${sequence}-${part}`));
    }
    const paths = (await alice.notifications.take(5)).map(({ resource }) => resource.slice(QUEEN.length + 1));
    expect(paths).toEqual(['q-9-0', 'q-9-1', 'q-10-0', 'a-3-0', 'q-10-1']);
    expect(await gateway.metric('fosp_gateway_notifications_repeated_total')).toBe(3);
    expect(await gateway.metric('fosp_gateway_notifications_total')).toBe(5);
  });

  it('F58 are listened for exactly while a session of the user is here', async () => {
    const gateway = await startGateway();
    const { listening } = gateway.transport;
    const first = await gateway.logIn('alice');
    const second = await gateway.logIn('alice');
    expect(listening).toEqual([userSubject(ALICE)]);
    await first.close();
    expect(listening).toEqual([userSubject(ALICE)]);
    await second.close();
    await expect.poll(() => listening).toEqual([]);
    const again = await gateway.logIn('alice');
    expect(listening).toEqual([userSubject(ALICE)]);
    tell(gateway, {}, message('/again'));
    await again.nextNotification();
  });

  it('F58 do not go on behind a hole while such a session still waits for an answer', async () => {
    const gateway = await startGateway();
    const held = await HeldCalls.of(gateway.bus, OBJECTS.select);
    const alice = await gateway.logIn('alice');
    tell(gateway, { sequence: '1' }, message('/a'));
    expect((await alice.nextNotification()).resource).toBe(`${QUEEN}/a`);
    const select = alice.request('SELECT', ALICE);
    await held.count(1);
    gateway.transport.breakLink('overrun');
    const again = await gateway.logIn('alice');
    tell(gateway, { sequence: '3' }, message('/c'));
    expect((await again.nextNotification()).resource).toBe(`${QUEEN}/c`);
    held.calls[0]?.answer();
    await select;
    expect((await alice.wire.closed).code).toBe(1012);
    expect(alice.notifications.drain()).toEqual([]);
  });

  it('F24 leaves no listener behind after a login that failed', async () => {
    const gateway = await startGateway();
    gateway.accounts.secrets.set('*', 'another');
    const session = await TestSession.connect(gateway.url);
    await session.request('AUTHENTICATE', '*', { body: { name: 'alice', password: 'wrong' } });
    expect(await gateway.metric('fosp_gateway_users')).toBe(0);
  });

  it('F58 that a client does not read close it with 1013, and only it', async () => {
    // However slow this machine is, the connection must be there when it is read again.
    const limits = { handshakeSeconds: 60 };
    const gateway = await startGateway({ environment: { FOSP_LIMIT_SEND_BUFFER: '1 MiB' }, limits });
    const reading = await gateway.logIn('alice');
    const sleeping = await gateway.logIn('alice');
    sleeping.wire.pause();
    // Her own tree: no rate holds here.
    for (let sequence = 1; sequence <= 200; sequence++) {
      tell(gateway, { tree: ALICE, sequence: String(sequence) }, message(`/${sequence}`, 100_000));
      await reading.nextNotification();
    }
    sleeping.wire.resume();
    expect((await sleeping.wire.closed).code).toBe(1013);
    tell(gateway, { tree: ALICE, sequence: '1000' }, message('/end'));
    expect((await reading.nextNotification()).resource).toBe(`${QUEEN}/end`);
  });

  it('F58 of other trees cannot flood a session shut: what is over the rate is dropped for those who are behind', async () => {
    const gateway = await startGateway({
      limits: { sendBuffer: 4_000_000, behind: 1_000_000, notificationRate: 1, notificationBurst: 500_000 },
    });
    const reading = await gateway.logIn('alice');
    const sleeping = await gateway.logIn('alice');
    sleeping.wire.pause();
    for (let sequence = 1; sequence <= 200; sequence++) {
      tell(gateway, { sequence: String(sequence) }, message(`/${sequence}`, 100_000));
      await reading.nextNotification();
    }
    const dropped = await gateway.metric('fosp_gateway_notifications_dropped_total');
    expect(dropped).toBeGreaterThan(0);
    sleeping.wire.resume();
    expect(await sleeping.notifications.take(200 - dropped)).toHaveLength(200 - dropped);
    expect((await sleeping.request('AUTHENTICATE', '*')).status).toBe(400);
  });
});

describe('sessions that end', () => {
  it('F22 end with 1008 when the password changed, but for the one that changed it', async () => {
    const gateway = await startGateway();
    const changing = await gateway.logIn('alice', { extensions: ['password'] });
    const other = await gateway.logIn('alice');
    const queen = await gateway.logIn('queen');
    await changing.succeed('REGISTER', '*', { body: { old: 'a', password: 'b' } });
    const except = gateway.accounts.of('password')[0]?.['session'] ?? '';
    gateway.bus.publishToUser(ALICE, { event: 'revoked', except });
    expect((await other.wire.closed).code).toBe(1008);
    expect((await changing.request('AUTHENTICATE', '*')).status).toBe(400);
    expect((await queen.request('AUTHENTICATE', '*')).status).toBe(400);
  });

  it('F68 end with 1012 when the bus may have lost something, so that clients look again', async () => {
    const gateway = await startGateway();
    const sessions = await Promise.all([gateway.logIn('alice'), gateway.logIn('queen')]);
    gateway.transport.breakLink('overrun');
    const closed = await Promise.all(sessions.map((session) => session.wire.closed));
    expect(closed.map(({ code }) => code)).toEqual([1012, 1012]);
    const again = await gateway.logIn('alice');
    tell(gateway, {}, message('/again'));
    await again.nextNotification();
  });
});
