import { parseUserId } from '@fosp/protocol';
import { TestSession, WireClient } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { PASSWORD, startGateway } from './harness.ts';

const ALICE = { name: 'alice', password: PASSWORD };

describe('AUTHENTICATE', () => {
  it('F22 takes a name with or without its domain, in any case, and says who it is', async () => {
    const { url } = await startGateway();
    for (const name of ['alice', 'Alice', 'alice@wonderland.lit', 'ALICE@Wonderland.lit.']) {
      const session = await TestSession.connect(url);
      expect(await session.json('AUTHENTICATE', '*', { body: { ...ALICE, name } })).toEqual({
        user: 'alice@wonderland.lit',
      });
    }
  });

  it('F22 sends the services a hash, the address, and never the password', async () => {
    const gateway = await startGateway();
    await gateway.logIn('alice');
    const [login] = gateway.accounts.of('login');
    expect(login).toMatchObject({ user: 'alice@wonderland.lit', address: '127.0.0.1' });
    expect(Buffer.from(login?.['secret'] ?? '', 'base64url')).toHaveLength(32);
    expect(JSON.stringify(gateway.accounts.calls)).not.toContain(PASSWORD);
  });

  it('F24 F25 leaves whoever fails unauthenticated, and lets them try again', async () => {
    const gateway = await startGateway();
    gateway.accounts.secrets.set('*', 'another');
    const session = await TestSession.connect(gateway.url);
    expect((await session.request('AUTHENTICATE', '*', { body: ALICE })).status).toBe(401);
    expect((await session.request('SELECT', 'alice@wonderland.lit')).status).toBe(401);
    gateway.accounts.secrets.delete('*');
    expect((await session.request('AUTHENTICATE', '*', { body: ALICE })).status).toBe(200);
  });

  it('F24 takes the same steps for a name that cannot exist here as for any other, and refuses it', async () => {
    const gateway = await startGateway();
    const session = await TestSession.connect(gateway.url);
    const names = ['no such name', '@', 'alice@realworld.lit', '', 'é'.repeat(3000)];
    for (const name of names) {
      expect((await session.request('AUTHENTICATE', '*', { body: { ...ALICE, name } })).status).toBe(401);
    }
    const asked = gateway.accounts.of('login');
    expect(asked.map(({ address, secret }) => [address, secret?.length])).toEqual(names.map(() => ['127.0.0.1', 43]));
    // Failures count to each name, and to none that anybody may have.
    const users = asked.map(({ user = '' }) => user);
    expect(gateway.accounts.of('challenge').map(({ user }) => user)).toEqual(users);
    expect(new Set(users).size).toBe(names.length);
    for (const user of users) {
      expect(user).toMatch(/^-.+@wonderland\.lit$/);
      expect(() => parseUserId(user)).toThrow();
    }
    expect(gateway.transport.listening).toEqual([]);
  });

  it.each([
    '{}',
    '{"name":"alice"}',
    '{"name":"alice","password":7}',
    '{"token":"t"}',
    'x',
    '{"name":["alice"],"password":"p"}',
  ])('F23 says what is wrong with %s', async (body) => {
    const { url } = await startGateway();
    const session = await TestSession.connect(url);
    expect((await session.request('AUTHENTICATE', '*', { body })).status).toBe(400);
  });

  it('F23 gives a token where `resume` is agreed, and takes it in place of a password', async () => {
    const { url } = await startGateway();
    const session = await TestSession.connect(url, 'alice', { extensions: ['resume'] });
    const { token } = await session.json<{ token: string }>('AUTHENTICATE', '*', { body: ALICE });
    const again = await TestSession.connect(url, 'alice', { extensions: ['resume'] });
    expect(await again.json('AUTHENTICATE', '*', { body: { token } })).toEqual({ user: 'alice@wonderland.lit', token });
    const forged = await TestSession.connect(url, 'alice', { extensions: ['resume'] });
    expect((await forged.request('AUTHENTICATE', '*', { body: { token: `${token}x` } })).status).toBe(401);
  });

  it('F22 F24 refuses credentials that stop being good just before the session is told of such things', async () => {
    const gateway = await startGateway();
    const first = await TestSession.connect(gateway.url, 'alice', { extensions: ['resume'] });
    const { token } = await first.json<{ token: string }>('AUTHENTICATE', '*', { body: ALICE });
    await first.close();
    await expect.poll(() => gateway.transport.listening).toEqual([]);
    gateway.transport.onSubscribe = () => {
      gateway.accounts.tokens.clear();
      gateway.accounts.secrets.set('*', 'another');
    };
    const second = await TestSession.connect(gateway.url, 'alice', { extensions: ['resume'] });
    expect((await second.request('AUTHENTICATE', '*', { body: { token } })).status).toBe(401);
    gateway.accounts.secrets.clear();
    expect((await second.request('AUTHENTICATE', '*', { body: ALICE })).status).toBe(401);
    expect(gateway.transport.listening).toEqual([]);
  });

  it('F17 F22 judges what is pipelined behind it by its outcome', async () => {
    const { url } = await startGateway();
    const wire = await WireClient.open(url);
    const credentials = JSON.stringify(ALICE);
    wire.send('CONNECT * 1\r\n\r\n{"version":"0.1"}');
    wire.send(`REGISTER * 2\r\n\r\n${credentials}`);
    wire.send(`AUTHENTICATE * 3\r\n\r\n${credentials}`);
    wire.send(`AUTHENTICATE * 4\r\n\r\n${credentials}`);
    wire.send('SELECT alice@wonderland.lit 5\r\n');
    const answers = (await wire.frames.take(5)).map(({ bytes }) => bytes.toString().split('\r\n')[0]);
    // Nobody serves objects here: 503 is what an authenticated SELECT gets.
    expect(answers).toEqual(['SUCCEEDED 200 1', 'SUCCEEDED 201 2', 'SUCCEEDED 200 3', 'FAILED 400 4', 'FAILED 503 5']);
  });

  it('F22 answers 429 with Retry-After when too many wait to be hashed', async () => {
    const { url } = await startGateway({ limits: { hashes: 1, hashesWaiting: 0, newHashesWaiting: 0 } });
    const sessions = await Promise.all(Array.from({ length: 4 }, () => TestSession.connect(url)));
    const responses = await Promise.all(sessions.map((session) => session.request('REGISTER', '*', { body: ALICE })));
    const refused = responses.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.every(({ headers }) => headers['Retry-After'] === '1')).toBe(true);
  });
});

describe('REGISTER', () => {
  it('F19 creates an account with a fresh salt and does not authenticate', async () => {
    const gateway = await startGateway();
    const session = await TestSession.connect(gateway.url);
    expect((await session.request('REGISTER', '*', { body: { ...ALICE, name: 'Alice' } })).status).toBe(201);
    expect((await session.request('REGISTER', '*', { body: ALICE })).status).toBe(409);
    expect((await session.request('SELECT', 'alice@wonderland.lit')).status).toBe(401);
    const [first, second] = gateway.accounts.of('register');
    expect(first).toMatchObject({ user: 'alice@wonderland.lit' });
    expect(first?.['salt']).not.toBe(second?.['salt']);
    expect(gateway.accounts.of('admit')[0]).toEqual({ user: 'alice@wonderland.lit', address: '127.0.0.1' });
  });

  it('F19 F22 refuses what is over the rate without hashing, so that a flood of it keeps nobody from logging in', async () => {
    // One password in memory at a time: a single hash that the flood asked for would cost somebody a 429.
    const gateway = await startGateway({ limits: { hashes: 1, hashesWaiting: 0, newHashesWaiting: 0 } });
    gateway.accounts.admitted = 0;
    const sessions = await Promise.all(Array.from({ length: 20 }, () => TestSession.connect(gateway.url)));
    const flood = sessions.map((session) => session.request('REGISTER', '*', { body: ALICE }));
    await gateway.logIn('bob');
    const refused = await Promise.all(flood);
    expect(refused.every(({ status, headers }) => status === 429 && headers['Retry-After'] === '60')).toBe(true);
    expect(gateway.accounts.of('register')).toEqual([]);
  });

  it.each<[unknown, number, RegExp]>([
    [{ name: 'a b', password: PASSWORD }, 400, /./],
    [{ name: '', password: PASSWORD }, 400, /^"name"/],
    [{ name: 'a b', password: PASSWORD }, 400, /^"name"/],
    [{ name: 'é'.repeat(2000), password: PASSWORD }, 400, /^"name".*2048 bytes/],
    [{ name: 'é'.repeat(1100), password: PASSWORD }, 400, /^"name".*2048 bytes/],
    // It fits alone, but its config/groups would not.
    [{ name: 'a'.repeat(2048 - '@wonderland.lit/config/groups'.length + 1), password: PASSWORD }, 400, /2034 bytes/],
    [{ name: 'a'.repeat(2048 - '@wonderland.lit/config/groups'.length), password: PASSWORD }, 201, /./],
    [{ name: 'Alice@Wonderland.lit.', password: PASSWORD }, 201, /./],
    [{ password: PASSWORD }, 400, /"name"/],
    [{ name: 'alice' }, 400, /"password"/],
    [{ name: 'alice', password: '' }, 400, /"password"/],
    [{ name: 'alice', password: 'x'.repeat(1025) }, 400, /1024 bytes/],
    [{ name: 'alice@realworld.lit', password: PASSWORD }, 421, /realworld.lit/],
  ])('F19 refuses %j with %i', async (body, status, text) => {
    const { url } = await startGateway();
    const session = await TestSession.connect(url);
    const response = await session.request('REGISTER', '*', { body: JSON.stringify(body) });
    expect(response.status).toBe(status);
    if (status !== 201) {
      expect(JSON.parse(response.body.toString()).message).toMatch(text);
    }
  });

  it('F20 is refused where the operator closed it', async () => {
    const { url } = await startGateway({ environment: { FOSP_REGISTRATION: 'closed' } });
    const session = await TestSession.connect(url);
    expect((await session.request('REGISTER', '*', { body: ALICE })).status).toBe(403);
    expect((await session.request('REGISTER', '*', { body: { name: 'alice' } })).status).toBe(400);
  });

  it('F19 changes a password where `password` is agreed, with the secret of the old one', async () => {
    const gateway = await startGateway();
    const change = { old: PASSWORD, password: 'off with their heads' };
    const stranger = await TestSession.connect(gateway.url, 'alice', { extensions: ['password'] });
    expect((await stranger.request('REGISTER', '*', { body: change })).status).toBe(401);
    const plain = await gateway.logIn('alice');
    expect((await plain.request('REGISTER', '*', { body: change })).status).toBe(400);
    const session = await gateway.logIn('alice', { extensions: ['password'] });
    expect((await session.request('REGISTER', '*', { body: change })).status).toBe(200);
    const [changed] = gateway.accounts.of('password');
    expect(changed).toMatchObject({ user: 'alice@wonderland.lit', old: gateway.accounts.of('login')[0]?.['secret'] });
    gateway.accounts.secrets.set('*', 'another');
    expect((await session.request('REGISTER', '*', { body: change })).status).toBe(403);
  });
});
