/** Another domain whose name leads back to this very server. */
import { ALICE, freePort } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { Provider } from '../../src/neighbours.ts';

describe('a domain that is found at this server', { timeout: 60_000 }, () => {
  it('F63 F67 cannot be reached, has nothing asked of it twice, and keeps nobody from their own objects', async () => {
    const port = await freePort();
    await using wonderland = await Provider.start('wonderland.lit', port, {
      FOSP_FEDERATION_PEERS: `mirror.lit=ws://127.0.0.1:${port}`,
    });
    const alice = await wonderland.register('alice');
    for (const [type, resource] of [
      ['SELECT', 'alice@mirror.lit'],
      ['CREATE', 'alice@mirror.lit/a'],
      ['READ', 'alice@mirror.lit/a'],
    ] as const) {
      const { status, body } = await alice.request(type, resource);
      expect([status, body.toString()]).toEqual([504, expect.stringContaining('does not accept this one')]);
    }
    await alice.succeed('UPDATE', ALICE, {
      body: { acl: { other: ['data-read'] }, subscriptions: { 'alice@mirror.lit': { events: ['created'], depth: 1 } } },
    });
    await alice.succeed('CREATE', `${ALICE}/a`);
    expect((await alice.request('SELECT', ALICE)).status).toBe(200);
    expect(alice.notifications.size).toBe(0);
    const metrics = await (await fetch(`${wonderland.server.admin}/metrics`)).text();
    expect(metrics).not.toMatch(/^fosp_federation_dials_total\{result="opened"\}/m);
    expect(metrics).not.toMatch(/^fosp_gateway_server_claims_total\{status="200"\}/m);
  });
});
