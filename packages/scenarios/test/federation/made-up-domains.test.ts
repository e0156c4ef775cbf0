/** A user who has a server tell any number of domains that nobody has: what the neighbours notice of it. */
import { ALICE, BOB, dnsInstalled, REALWORLD, SISTER, startDns } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { Cli } from '../../src/cli.ts';
import { startNeighbours } from '../../src/neighbours.ts';

const DOMAINS = 10;

describe.skipIf(!dnsInstalled())('users of domains that nobody has', () => {
  it('F59 have no more waiting for them than one tree may, and nobody else is told less', async () => {
    await using dns = await startDns({});
    const wonderland = { FOSP_FEDERATION_TREE_DOMAINS: String(DOMAINS), FOSP_DNS_SERVERS: dns.address };
    await using neighbours = await startNeighbours({ wonderland });
    const { wonderland: provider } = neighbours;
    const { server } = provider;
    const metric = async (name: string) => {
      const metrics = await (await fetch(`${server.admin}/metrics`)).text();
      const line = metrics.split('\n').find((each) => each.startsWith(`${name} `));
      return Number(line?.split(' ').at(-1));
    };
    const [alice, bob, sister] = await Promise.all([
      neighbours.wonderland.register('alice'),
      neighbours.wonderland.register('bob'),
      neighbours.realworld.register('sister'),
    ]);
    const share = (users: readonly string[]) => ({
      acl: { users: Object.fromEntries(users.map((user) => [user, ['data-read']])) },
      subscriptions: Object.fromEntries(users.map((user) => [user, { events: ['updated'], depth: 0 }])),
    });
    const madeUp = Array.from({ length: 40 }, (_, index) => `x@made-up-${index}.example`);
    await alice.succeed('CREATE', `${ALICE}/a`, { body: share([SISTER]) });
    await bob.succeed('CREATE', `${BOB}/a`, { body: share([SISTER]) });
    await alice.succeed('UPDATE', `${ALICE}/a`, { body: { data: 0 } });
    expect((await sister.nextNotification()).resource).toBe(`${ALICE}/a`);

    // Else its domain would be one of whom it is not known whether they take anything.
    const acknowledged = () => metric('fosp_federation_notifications_total{what="acknowledged"}');
    await expect.poll(acknowledged, { timeout: 60_000 }).toBe(1);

    await alice.succeed('UPDATE', `${ALICE}/a`, { body: share(madeUp) });
    for (let count = 1; count <= 3; count++) {
      await alice.succeed('UPDATE', `${ALICE}/a`, { body: { data: count } });
      await bob.succeed('UPDATE', `${BOB}/a`, { body: { data: count } });
    }
    const told: string[] = [];
    while (told.length < 7) {
      told.push((await sister.nextNotification()).resource);
    }
    expect(told.filter((resource) => resource === `${ALICE}/a`)).toHaveLength(4);
    const place = ['--admin-url', server.admin, '--data-dir', provider.data];
    const { stdout } = await new Cli(undefined, '').run('admin', 'peers', '--json', ...place);
    const peers: readonly { readonly domain: string }[] = JSON.parse(stdout);
    const kept = peers.filter(({ domain }) => domain !== REALWORLD);
    expect(kept.length).toBeLessThanOrEqual(DOMAINS);
    expect(kept.length).toBeGreaterThan(DOMAINS / 2);
    await expect
      .poll(() => metric('fosp_notifications_remote_refused_total'), { timeout: 60_000 })
      .toBe(4 * (madeUp.length - DOMAINS));
  });
});
