/** The SDK against a whole server: what a program that uses it sees, also when the server goes away and comes back. */
import { type FospClient, isFospError } from '@fosp/client';
import { ALICE, BOB, PASSWORD, ServerProcess, TestSession } from '@fosp/testkit';
import { describe, expect, it, vi } from 'vitest';
import { failureOf, Home } from '../src/home.ts';

const SUBSCRIBED = { [ALICE]: { events: ['created', 'updated', 'deleted'], depth: -1 } };

async function untilLost(client: FospClient): Promise<void> {
  await vi.waitFor(() => expect(client.isConnected).toBe(false), { timeout: 60_000 });
}

describe('requests of the client', () => {
  it('F16 F22 F26 F27 F28 F29 F30 F60 F70 registers, logs in, and works with objects', async () => {
    await using home = await Home.start();
    const nobody = await home.connect({});
    expect(nobody.server).toMatchObject({ domain: 'wonderland.lit', version: '0.1', registration: true });
    expect(await failureOf(nobody.select(`${ALICE}/`))).toMatchObject({ code: 'unauthenticated', status: 401 });
    await nobody.register('alice', PASSWORD);
    expect(await nobody.authenticate({ user: 'alice', password: PASSWORD })).toBe(ALICE);
    expect(nobody.user).toBe(ALICE);

    await nobody.create(`${ALICE}/notes`, '{"data":{"n":12345678901234567890,"m":1.10}}');
    await Promise.all([nobody.create(`${ALICE}/notes/a`), nobody.create(`${ALICE}/notes/b`, { data: 'b' })]);
    const { text, value } = await nobody.select(`${ALICE}/notes`);
    expect(text).toContain('"data":{"n":12345678901234567890,"m":1.10}');
    expect(value).toMatchObject({ owner: ALICE, data: { m: 1.1 } });
    await nobody.update(`${ALICE}/notes/a`, { data: { changed: true }, type: 'text/plain' });
    expect((await nobody.select(`${ALICE}/notes/a`)).value).toMatchObject({
      data: { changed: true },
      type: 'text/plain',
    });
    expect(await Array.fromAsync(nobody.list(`${ALICE}/notes`))).toEqual(['a', 'b']);
    await nobody.delete(`${ALICE}/notes/a`);
    expect(await Array.fromAsync(nobody.list(`${ALICE}/notes`))).toEqual(['b']);
  });

  it('F34 rejects with the status and the words of the server', async () => {
    await using home = await Home.start();
    const alice = await home.register('alice');
    const cases: readonly [() => Promise<unknown>, number, RegExp][] = [
      [() => alice.select(`${ALICE}/nothing`), 404, /./],
      [() => alice.create(`${ALICE}/a/b`), 412, /./],
      [() => alice.create(`${ALICE}/`), 409, /./],
      [() => alice.delete(`${ALICE}/`), 405, /./],
      [() => alice.select(`${BOB}/`), 403, /./],
      [() => alice.update(`${ALICE}/`, { nonsense: 1 }), 400, /nonsense/],
      [() => alice.update(`${ALICE}/`, { data: 'x'.repeat(300_000) }), 413, /\d/],
      [() => alice.select('no resource'), 400, /no resource/],
      [() => alice.register('alice', PASSWORD), 409, /alice/],
      [() => alice.authenticate({ user: 'alice', password: 'wrong' }), 400, /./],
    ];
    for (const [request, status, message] of cases) {
      const error = await failureOf(request());
      expect(error).toMatchObject({ status, message: expect.stringMatching(message) });
      expect(isFospError(error)).toBe(true);
    }
  });

  it('changes and reads under a condition', async () => {
    await using home = await Home.start();
    const alice = await home.register('alice');
    await alice.create(`${ALICE}/a`, { data: 1 });
    const { etag = '' } = await alice.select(`${ALICE}/a`);
    expect(await failureOf(alice.select(`${ALICE}/a`, { ifNoneMatch: etag }))).toMatchObject({ code: 'not-modified' });
    await alice.update(`${ALICE}/a`, { data: 2 }, { ifMatch: etag });
    const stale = { code: 'precondition-failed' };
    expect(await failureOf(alice.update(`${ALICE}/a`, { data: 3 }, { ifMatch: etag }))).toMatchObject(stale);
    expect(await failureOf(alice.delete(`${ALICE}/a`, { ifMatch: etag }))).toMatchObject(stale);
    expect(await failureOf(alice.write(`${ALICE}/a`, Buffer.of(1), { ifMatch: etag }))).toMatchObject(stale);
    expect((await alice.select(`${ALICE}/a`, { ifNoneMatch: etag })).value.data).toBe(2);
  });

  it('F30 lists more children than one page holds', async () => {
    await using home = await Home.start();
    const alice = await home.register('alice');
    await alice.create(`${ALICE}/many`);
    const names = Array.from({ length: 2100 }, (_, index) => `child-${String(index).padStart(4, '0')}`);
    for (let at = 0; at < names.length; at += 500) {
      await Promise.all(names.slice(at, at + 500).map((name) => alice.create(`${ALICE}/many/${name}`)));
    }
    expect(await Array.fromAsync(alice.list(`${ALICE}/many`))).toEqual(names);
    for await (const name of alice.list(`${ALICE}/many`)) {
      expect(name).toBe(names[0]);
      break;
    }
  });
});

describe('logging in', () => {
  it('F22 F23 F24 takes a token, and the password where that is no longer good', async () => {
    await using home = await Home.start();
    const { token = '' } = await home.register('alice');
    expect((await home.connect({ credentials: { token } })).user).toBe(ALICE);
    const stale = await home.connect({ credentials: { user: 'alice', password: PASSWORD, token: 'no token' } });
    expect(stale.user).toBe(ALICE);
    for (const credentials of [{ token: 'no token' }, { user: 'alice', password: 'wrong' }]) {
      expect(await failureOf(home.connect({ credentials }))).toMatchObject({ code: 'unauthenticated' });
    }
  });

  it('F22 goes on after its own change of password, also over a reconnection, and ends other clients with the reason', async () => {
    await using home = await Home.start();
    const alice = await home.register('alice');
    const other = await home.connect({ credentials: { user: 'alice', password: PASSWORD } });
    const told = other.notifications();
    await alice.changePassword(PASSWORD, 'down the rabbit hole');
    const reason = { code: 'unauthenticated', message: expect.stringContaining('password was changed') };
    expect(await failureOf(told.next())).toMatchObject(reason);
    expect(await told.next()).toEqual({ done: true, value: undefined });
    expect(await failureOf(other.select(`${ALICE}/`))).toMatchObject(reason);
    expect(await failureOf(other.notifications().next())).toMatchObject(reason);

    await home.restart('SIGKILL');
    expect((await alice.select(`${ALICE}/`)).value.owner).toBe(ALICE);
    expect(alice.user).toBe(ALICE);
  });
});

describe('a client whose server goes away', () => {
  it.each(['SIGKILL', 'SIGTERM'] as const)('F58 goes on with notifications after %s, past a gap', async (signal) => {
    await using home = await Home.start();
    const alice = await home.register('alice');
    await alice.update(`${ALICE}/`, { subscriptions: SUBSCRIBED });
    const events = alice.notifications();
    await alice.create(`${ALICE}/before`);
    const created = async (): Promise<string> => {
      for await (const event of { [Symbol.asyncIterator]: () => ({ next: () => events.next() }) }) {
        if (event.kind === 'gap' || event.event === 'CREATED') {
          return event.kind === 'gap' ? 'gap' : event.resource;
        }
      }
      return 'the end';
    };
    expect(await created()).toBe(`${ALICE}/before`);
    await home.restart(signal);
    expect(await created()).toBe('gap');
    await alice.create(`${ALICE}/after`);
    expect(await created()).toBe(`${ALICE}/after`);
    expect(alice.user).toBe(ALICE);
  });

  it('F13 asks again what changes nothing, and rejects what may have had its effect', async () => {
    await using home = await Home.start();
    const alice = await home.register('alice');
    await alice.create(`${ALICE}/a`, { data: 'here' });
    // It takes what is sent, and answers nothing.
    home.freeze();
    const reads = Promise.all([alice.select(`${ALICE}/a`), Array.fromAsync(alice.list(`${ALICE}/`))]);
    const writes = [
      alice.update(`${ALICE}/a`, { data: 'changed' }),
      alice.create(`${ALICE}/b`),
      alice.delete(`${ALICE}/a`),
      alice.write(`${ALICE}/a`, new Uint8Array(100)),
    ].map(failureOf);
    await home.restart('SIGKILL');
    for (const write of await Promise.all(writes)) {
      expect(write).toMatchObject({ code: 'unreachable' });
    }
    const [{ value }, names] = await reads;
    expect(value.data).toBe('here');
    expect(names).toEqual(['a', 'config']);
  });

  it('lets requests wait for the connection, in a bounded number, and says when none came in time', async () => {
    await using home = await Home.start();
    const patient = await home.register('alice', { waitingRequests: 2 });
    const hasty = await home.connect({ requestTimeoutMs: 3_000 });
    await home.stop('SIGKILL');
    await untilLost(patient);
    const waiting = [patient.create(`${ALICE}/a`), patient.create(`${ALICE}/a/b`)];
    expect(await failureOf(patient.create(`${ALICE}/c`))).toMatchObject({ code: 'too-many' });
    expect(await failureOf(hasty.select(`${ALICE}/`))).toMatchObject({
      code: 'timeout',
      message: expect.stringContaining(`No connection to ${home.url}`),
    });
    await home.restart('SIGKILL');
    await Promise.all(waiting);
    expect(await Array.fromAsync(patient.list(`${ALICE}/a`))).toEqual(['b']);
  });

  it('ends where its password is no longer good when it comes back', async () => {
    await using home = await Home.start();
    const { token = '' } = await home.register('alice');
    const alice = await home.connect({ credentials: { token } });
    const events = alice.notifications();
    await home.stop('SIGKILL');
    await untilLost(alice);
    const waiting = failureOf(alice.select(`${ALICE}/`));
    const elsewhere = await ServerProcess.start({ dataDirectory: home.data });
    const session = await TestSession.connect(elsewhere.url, ALICE, { extensions: ['password'] });
    await session.succeed('AUTHENTICATE', '*', { body: { name: 'alice', password: PASSWORD } });
    await session.succeed('REGISTER', '*', { body: { old: PASSWORD, password: 'another' } });
    await elsewhere.stop();
    await home.restart('SIGKILL');
    for (const failure of [await waiting, await failureOf(events.next())]) {
      expect(failure).toMatchObject({ code: 'unauthenticated' });
    }
  });

  it('ends with its first connection where it is not to reconnect', async () => {
    await using home = await Home.start();
    const alice = await home.register('alice', { reconnect: false });
    const events = alice.notifications();
    await home.stop('SIGKILL');
    expect(await failureOf(events.next())).toMatchObject({ code: 'unreachable' });
    expect(await failureOf(alice.select(`${ALICE}/`))).toMatchObject({ code: 'unreachable' });
  });

  it('gives up after so many attempts', async () => {
    await using home = await Home.start();
    const alice = await home.register('alice', { reconnect: { baseMs: 1, capMs: 2, attempts: 3 } });
    const events = alice.notifications();
    await home.stop('SIGKILL');
    expect(await failureOf(events.next())).toMatchObject({ code: 'unreachable' });
  });

  it('F58 tells all iterators of a client the same', async () => {
    await using home = await Home.start();
    const alice = await home.register('alice');
    await alice.update(`${ALICE}/`, { subscriptions: SUBSCRIBED });
    const session = await TestSession.logIn(home.url, ALICE);
    const iterators = [alice.notifications(), alice.notifications()];
    await session.succeed('CREATE', `${ALICE}/a`);
    const created = await Promise.all(
      iterators.map(async (events) => {
        for await (const event of events) {
          if (event.kind === 'notification' && event.event === 'CREATED') {
            return event.resource;
          }
        }
        return 'the end';
      }),
    );
    expect(created).toEqual([`${ALICE}/a`, `${ALICE}/a`]);
  });
});
