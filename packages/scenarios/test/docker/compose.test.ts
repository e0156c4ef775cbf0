/** The cluster of docker-compose.yml, under another project's name and on other ports than anybody's own. */
import { composeProject, docker, engineAnswers, fospImage, freePort, TestSession } from '@fosp/testkit';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

const START_PATIENCE = 600_000;
const PATIENCE = 240_000;

const waiting = { timeout: PATIENCE, interval: 500 };
const HEALTH = ['node', '/app/lib/main.mjs', 'healthcheck'];
const SESSIONS = `fetch('http://127.0.0.1:9090/metrics').then(async (answer) => {
  console.log(/^fosp_gateway_sessions (\\d+)$/m.exec(await answer.text())?.[1]);
})`;

describe.skipIf(!engineAnswers('docker-compose.yml'))('docker-compose.yml', { timeout: PATIENCE }, () => {
  const ports = { ws: 0, wss: 0, secondWs: 0, secondWss: 0 };
  let compose: ReturnType<typeof composeProject>;

  beforeAll(async () => {
    for (const name of Object.keys(ports)) {
      Object.assign(ports, { [name]: await freePort() });
    }
    compose = composeProject(`fosp-test-${process.pid}-${Date.now()}`, {
      FOSP_IMAGE: await fospImage(),
      FOSP_LIMIT_REGISTRATIONS_PER_MINUTE: '1000',
      FOSP_PUBLISHED_WS_PORT: String(ports.ws),
      FOSP_PUBLISHED_WSS_PORT: String(ports.wss),
      FOSP_SECOND_PUBLISHED_WS_PORT: String(ports.secondWs),
      FOSP_SECOND_PUBLISHED_WSS_PORT: String(ports.secondWss),
    });
    await compose.run('up', '--detach');
    await untilServing('gateway', 'load-balancer');
  }, START_PATIENCE);

  afterAll(async () => {
    await compose.run('--profile', 'federation', 'down', '--volumes', '--remove-orphans');
  }, PATIENCE);

  const untilServing = async (gateway: string, balancer: string) => {
    await vi.waitFor(async () => {
      const [id = ''] = await compose.containers(balancer);
      expect(await docker('inspect', '--format', '{{.State.Health.Status}}', id)).toBe('healthy');
      for (const pod of await compose.containers(gateway)) {
        await docker('exec', pod, ...HEALTH);
      }
    }, waiting);
  };

  /** One at each gateway: the load balancer gives a connection to the one that has fewest. */
  const sessionAtEach = async (open: () => Promise<TestSession>) => {
    const gateways = await compose.containers('gateway');
    return vi.waitFor(async () => {
      const sessions = await Promise.all(gateways.map(open));
      const counts = await Promise.all(gateways.map((id) => docker('exec', id, 'node', '-e', SESSIONS)));
      if (counts.some((count) => count !== '1')) {
        await Promise.all(sessions.map((session) => session.close()));
        throw new Error(`The gateways have ${counts.join(' and ')} connections`);
      }
      return sessions;
    }, waiting);
  };

  it('answers alike at every gateway, for objects and files, and goes on when one is killed', async () => {
    const url = `ws://127.0.0.1:${ports.ws}`;
    const file = Buffer.alloc(3_000_000, 'a file of some length. ');
    const alice = await TestSession.register(url, 'alice@localhost');
    await alice.close();
    const [one, other] = await sessionAtEach(() => TestSession.logIn(url, 'alice@localhost'));
    if (one === undefined || other === undefined) {
      throw new Error('There are not two gateways');
    }
    await one.succeed('CREATE', 'alice@localhost/cat', { body: { data: { grin: true } } });
    await one.succeed('WRITE', 'alice@localhost/cat', { body: file, binary: true });
    expect(await other.json('SELECT', 'alice@localhost/cat')).toMatchObject({
      data: { grin: true },
      attachment: { size: file.length },
    });
    const read = await other.succeed('READ', 'alice@localhost/cat');
    expect(read.body.equals(file)).toBe(true);

    const [victim = ''] = await compose.containers('gateway');
    await docker('kill', victim);
    const survivor = await Promise.race([one.wire.closed.then(() => other), other.wire.closed.then(() => one)]);
    expect(await survivor.json('SELECT', 'alice@localhost/cat')).toMatchObject({ data: { grin: true } });
    const fresh = await TestSession.logIn(url, 'alice@localhost');
    expect((await fresh.succeed('READ', 'alice@localhost/cat')).body.equals(file)).toBe(true);
    await Promise.all([survivor.close(), fresh.close()]);

    await docker('start', victim);
    const both = await sessionAtEach(() => TestSession.logIn(url, 'alice@localhost'));
    expect(both).toHaveLength(2);
    await Promise.all(both.map((session) => session.close()));
  });

  it('serves wss with a certificate that it made at its first start', async () => {
    const [id = ''] = await compose.containers('load-balancer');
    const trusted = await docker('exec', id, 'openssl', 'x509', '-in', '/certificates/fosp.pem');
    const bob = await TestSession.open(`wss://127.0.0.1:${ports.wss}`, 'bob', { trusted });
    expect((await bob.request('CONNECT', '*', { body: { version: '0.1' } })).status).toBe(200);
    await bob.close();
  });

  it('adds a second domain that has its own users, with the profile federation', async () => {
    await compose.run('--profile', 'federation', 'up', '--detach');
    await untilServing('second-gateway', 'second-load-balancer');
    const bob = await TestSession.register(`ws://127.0.0.1:${ports.secondWs}`, 'bob@realworld.lit');
    await bob.succeed('CREATE', 'bob@realworld.lit/here', { body: { data: 1 } });
    await bob.succeed('WRITE', 'bob@realworld.lit/here', { body: Buffer.from('a file'), binary: true });
    await bob.close();
    await expect(TestSession.logIn(`ws://127.0.0.1:${ports.ws}`, 'bob@realworld.lit')).rejects.toThrow('401');
  });

  it('F59 F61 has users of the two domains share objects, files and notifications', async () => {
    const alice = await TestSession.logIn(`ws://127.0.0.1:${ports.ws}`, 'alice@localhost');
    const bob = await TestSession.logIn(`ws://127.0.0.1:${ports.secondWs}`, 'bob@realworld.lit');
    const rights = ['data-read', 'data-write', 'subscriptions-write', 'attachment-read', 'attachment-write'];
    for (const [host, guest, tree, name] of [
      [alice, bob, 'alice@localhost', 'bob@realworld.lit'],
      [bob, alice, 'bob@realworld.lit', 'alice@localhost'],
    ] as const) {
      const shared = `${tree}/shared`;
      await host.succeed('CREATE', shared, { body: { data: 'tea', acl: { users: { [name]: rights } } } });
      // Where a process of either side has just begun, the link takes a moment.
      await vi.waitFor(async () => expect((await guest.request('SELECT', shared)).status).toBe(200), waiting);
      await guest.succeed('UPDATE', shared, { body: { subscriptions: { [name]: { events: ['updated'], depth: 0 } } } });
      await guest.nextNotification();
      await host.succeed('UPDATE', shared, { body: { data: 'milk' } });
      expect(JSON.parse((await guest.nextNotification()).body.toString())).toMatchObject({ data: 'milk' });
      const file = Buffer.alloc(1_000_000, name);
      await guest.succeed('WRITE', shared, { body: file, binary: true });
      for (const reader of [host, guest]) {
        expect((await reader.succeed('READ', shared)).body.equals(file)).toBe(true);
      }
    }
    await Promise.all([alice.close(), bob.close()]);
  });

  it('lets nothing write to its image or keep a right of root, and ends every service with 0', async () => {
    const all = (await compose.run('--profile', 'federation', 'ps', '--all', '--quiet')).split('\n');
    const facts =
      '{{.Config.Image}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}}';
    const guarded = (await docker('inspect', '--format', facts, ...all)).split('\n');
    expect(guarded.length).toBeGreaterThanOrEqual(20);
    expect(guarded.filter((line) => !line.endsWith(' true [ALL] [no-new-privileges:true]'))).toEqual([]);

    await compose.run('--profile', 'federation', 'stop');
    const ends = (await docker('inspect', '--format', '{{.Path}} {{.Args}} {{.State.ExitCode}}', ...all)).split('\n');
    const ours = ends.filter((line) => line.includes('/app/lib/main.mjs'));
    expect(ours.length).toBeGreaterThanOrEqual(15);
    expect(ours.filter((line) => !line.endsWith(' 0'))).toEqual([]);
  });
});
