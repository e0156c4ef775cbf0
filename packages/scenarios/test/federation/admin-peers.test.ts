/** What the operator of one provider sees of another, by the command line. */
import { ALICE, REALWORLD, SISTER } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { Cli } from '../../src/cli.ts';
import { startNeighbours } from '../../src/neighbours.ts';

describe('fosp admin peers', () => {
  it('F21 shows links, what waits and what went wrong, and has the server try again', async () => {
    await using neighbours = await startNeighbours();
    const { wonderland, realworld } = neighbours;
    const cli = new Cli(undefined, '');
    const admin = (...args: readonly string[]) =>
      cli.run('admin', 'peers', ...args, '--admin-url', wonderland.server.admin, '--data-dir', wonderland.data);
    const listed = async () => JSON.parse((await admin('--json')).stdout);
    expect(await admin()).toMatchObject({ code: 0, stdout: 'no other domain is talked to now\n' });

    const alice = await wonderland.register('alice');
    expect((await alice.request('SELECT', SISTER)).status).toBe(403);
    expect(await listed()).toMatchObject([
      {
        domain: REALWORLD,
        owner: expect.stringMatching(/\/\d+$/),
        links: [
          { own: 'wonderland.lit', kind: 'messages', extensions: ['etag', 'page', 'ack', 'retire'], underWay: 0 },
        ],
        queued: 0,
      },
    ]);

    await realworld.stop();
    await alice.succeed('UPDATE', ALICE, {
      body: {
        acl: { users: { [SISTER]: ['data-read'] } },
        subscriptions: { [SISTER]: { events: ['created'], depth: -1 } },
      },
    });
    for (const name of ['a', 'b', 'c']) {
      await alice.succeed('CREATE', `${ALICE}/${name}`);
    }
    const failed = await admin('retry', REALWORLD);
    expect(failed).toMatchObject({ code: 1, stderr: expect.stringMatching(/ECONNREFUSED.*504/) });
    const [peer] = await listed();
    expect(peer).toMatchObject({ domain: REALWORLD, links: [], queued: 3 });
    expect(peer.lastError.text).toContain('ECONNREFUSED');
    expect(Date.parse(peer.oldest)).toBeLessThanOrEqual(Date.now());
    await expect.poll(queuedBy(wonderland.server.admin), { timeout: 30_000 }).toBe(3);
    const shown = await admin('list');
    expect(shown.stdout).toMatch(/realworld\.lit {2}no link\n.*\n.*\n.* 3 waiting, the oldest since 20/);

    await realworld.start();
    expect(await admin('retry', REALWORLD)).toMatchObject({ code: 0, stdout: `${REALWORLD}: connected\n` });
    expect(await admin('retry', 'nowhere.invalid')).toMatchObject({ code: 1 });
    const metrics = await (await fetch(`${wonderland.server.admin}/metrics`)).text();
    expect(metrics).toMatch(/^fosp_federation_links 1$/m);
    expect(metrics).toMatch(/^fosp_federation_dials_total\{result="failed"\} [1-9]/m);
  });
});

/** Notifications that wait, as the metrics say. */
function queuedBy(admin: string): () => Promise<number> {
  return async () => {
    const metrics = await (await fetch(`${admin}/metrics`)).text();
    return Number(/^fosp_federation_queued (\d+)$/m.exec(metrics)?.[1]);
  };
}
