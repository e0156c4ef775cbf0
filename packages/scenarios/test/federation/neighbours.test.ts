/** Two providers whose users share objects, files and notifications as if they were neighbours. */
import { randomBytes } from 'node:crypto';
import { ALICE, SISTER, type TestSession } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { startNeighbours } from '../../src/neighbours.ts';

const MIB = 1024 * 1024;
const RIGHTS = ['data', 'acl', 'subscriptions', 'attachment', 'children'].flatMap((what) => [
  `${what}-read`,
  `${what}-write`,
]);
const A = `${ALICE}/a`;

async function letIn(alice: TestSession, ...users: string[]): Promise<void> {
  const rights = Object.fromEntries(users.map((user) => [user, [...RIGHTS, 'children-delete']]));
  await alice.succeed('UPDATE', ALICE, { body: { acl: { users: rights } } });
}

describe('two providers', () => {
  it('F50 F61 F36 let their users work on each other’s objects, with the rights that they have', async () => {
    await using neighbours = await startNeighbours();
    const alice = await neighbours.wonderland.register('alice');
    const sister = await neighbours.realworld.register('sister');
    for (const type of ['SELECT', 'LIST', 'CREATE', 'UPDATE', 'DELETE', 'READ', 'WRITE'] as const) {
      const refused = await sister.request(type, A, { body: '{}' });
      expect([type, refused.status]).toEqual([type, 403]);
    }
    await letIn(alice, SISTER);
    await sister.succeed('CREATE', A, { body: { data: { tea: 12345678901234567890n.toString() } } });
    expect(await sister.json('SELECT', A)).toMatchObject({ owner: SISTER, data: { tea: '12345678901234567890' } });
    expect(await alice.json('SELECT', A)).toMatchObject({ owner: SISTER });
    await sister.succeed('UPDATE', A, { body: { type: 'drink' } });
    expect(await sister.json('LIST', ALICE)).toContain('a');
    expect((await sister.request('CREATE', A)).status).toBe(409);
    expect((await sister.request('CREATE', `${A}/b/c`)).status).toBe(412);
    expect((await sister.request('SELECT', `${ALICE}/nothing`)).status).toBe(404);
    expect((await sister.request('UPDATE', A, { body: '{"data":' })).status).toBe(400);
    await sister.succeed('DELETE', A);
    expect((await alice.request('SELECT', A)).status).toBe(404);
    const { headers } = await sister.request('SELECT', ALICE);
    expect(headers).toEqual({});
  });

  it('F13 F61 answer many requests at a time, in any order, and take those on one object as they were sent', async () => {
    await using neighbours = await startNeighbours();
    const alice = await neighbours.wonderland.register('alice');
    const sister = await neighbours.realworld.register('sister');
    await letIn(alice, SISTER);
    const created = Array.from({ length: 20 }, (_, at) =>
      sister.request('CREATE', `${A}${at}`, { body: { data: at } }),
    );
    const changed = Array.from({ length: 20 }, (_, at) =>
      sister.request('UPDATE', `${A}${at}`, { body: { data: 100 + at } }),
    );
    const seen = Array.from({ length: 20 }, (_, at) => sister.json<{ data: number }>('SELECT', `${A}${at}`));
    expect((await Promise.all(created)).map(({ status }) => status)).toEqual(Array(20).fill(201));
    expect((await Promise.all(changed)).map(({ status }) => status)).toEqual(Array(20).fill(204));
    expect((await Promise.all(seen)).map(({ data }) => data)).toEqual(Array.from({ length: 20 }, (_, at) => 100 + at));
  });

  it('F59 tell users of the other one what they may see, in order, once', async () => {
    await using neighbours = await startNeighbours();
    const alice = await neighbours.wonderland.register('alice');
    const sister = await neighbours.realworld.register('sister');
    await letIn(alice, SISTER);
    await alice.succeed('CREATE', A, { body: { acl: { users: { [SISTER]: ['not-read-subscriptions'] } } } });
    const subscriptions = { [SISTER]: { events: ['created', 'updated', 'deleted'], depth: -1 } };
    await sister.succeed('UPDATE', A, { body: { subscriptions } });
    await sister.nextNotification();
    for (let at = 1; at <= 50; at++) {
      await alice.succeed('UPDATE', A, { body: { data: at } });
    }
    await alice.succeed('CREATE', `${A}/b`, { body: { data: 'below' } });
    await alice.succeed('DELETE', `${A}/b`);
    const told = [];
    for (let count = 0; count < 52; count++) {
      told.push(await sister.nextNotification());
    }
    expect(told.slice(0, 50).map(({ body }) => JSON.parse(body.toString()).data)).toEqual(
      Array.from({ length: 50 }, (_, at) => at + 1),
    );
    const [first, created, deleted] = [told[0], told[50], told[51]];
    expect(first).toMatchObject({ event: 'UPDATED', resource: A, headers: {} });
    expect(JSON.parse(first?.body.toString() ?? '')).not.toHaveProperty('subscriptions');
    expect(created).toMatchObject({ event: 'CREATED', resource: `${A}/b` });
    expect([deleted?.event, deleted?.body.length]).toEqual(['DELETED', 0]);
    expect(sister.notifications.size).toBe(0);
  });

  it('F31 F32 pass files on, both ways', async () => {
    await using neighbours = await startNeighbours();
    const alice = await neighbours.wonderland.register('alice');
    const sister = await neighbours.realworld.register('sister');
    await letIn(alice, SISTER);
    await alice.succeed('CREATE', A);
    const headers = { 'Content-Type': 'image/png', 'File-Name': 'a%20b.png' };
    for (const size of [0, 10, 70_000, 20 * MIB]) {
      const file = randomBytes(size);
      await sister.succeed('WRITE', A, { body: file, binary: true, headers });
      for (const reader of [alice, sister]) {
        const read = await reader.succeed('READ', A);
        expect(read.body.equals(file)).toBe(true);
        expect(read).toMatchObject({ headers, binary: size > 0 });
      }
    }
    expect(await sister.json('SELECT', A)).toMatchObject({ attachment: { size: 20 * MIB, name: 'a b.png' } });
    expect((await sister.request('READ', `${ALICE}/nothing`)).status).toBe(404);
    expect((await sister.request('WRITE', `${ALICE}/nothing`, { body: randomBytes(5 * MIB) })).status).toBe(404);
    expect((await sister.succeed('READ', A)).body).toHaveLength(20 * MIB);
  });

  it('F59 keep what one is to be told while it is away, over a crash of the other', async () => {
    await using neighbours = await startNeighbours();
    const { wonderland, realworld } = neighbours;
    const alice = await wonderland.register('alice');
    const sister = await realworld.register('sister');
    await letIn(alice, SISTER);
    await alice.succeed('CREATE', A);
    await sister.succeed('UPDATE', A, { body: { subscriptions: { [SISTER]: { events: ['updated'], depth: 0 } } } });
    await sister.nextNotification();
    await realworld.stop();
    for (let at = 1; at <= 100; at++) {
      await alice.succeed('UPDATE', A, { body: { data: at } });
    }
    await wonderland.stop('SIGKILL');
    await realworld.start();
    // What comes before she is back is told to nobody.
    const again = await realworld.logIn('sister');
    await wonderland.start();
    const seen = (await again.notifications.take(100)).map(({ body }) => JSON.parse(body.toString()).data);
    expect(seen).toEqual(Array.from({ length: 100 }, (_, at) => at + 1));
  });

  it('F63 believe each other though they connect from another address than they are found at', async () => {
    await using neighbours = await startNeighbours({ address: '127.0.0.9', environment: { FOSP_HOST: '0.0.0.0' } });
    const alice = await neighbours.wonderland.register('alice');
    const sister = await neighbours.realworld.register('sister');
    await letIn(alice, SISTER);
    expect(await sister.json('SELECT', ALICE)).toMatchObject({ owner: ALICE });
    const metrics = async (admin: string) => (await fetch(`${admin}/metrics`)).text();
    const { wonderland, realworld } = neighbours;
    expect(await metrics(realworld.server.admin)).toMatch(/^fosp_federation_verifications_total\{result="ours"\} 1$/m);
    expect(await metrics(wonderland.server.admin)).toMatch(/^fosp_federation_claims_total\{result="admitted"\} 1$/m);
  });

  it('F66 say 403 where one does not want to have to do with the other, and 504 where it is away', async () => {
    await using neighbours = await startNeighbours({ wonderland: { FOSP_FEDERATION_BLOCK: 'realworld.lit' } });
    const { wonderland, realworld } = neighbours;
    const alice = await wonderland.register('alice');
    const sister = await realworld.register('sister');
    expect((await alice.request('SELECT', SISTER)).status).toBe(403);
    const refused = await sister.request('SELECT', ALICE);
    expect([refused.status, refused.body.toString()]).toEqual([
      504,
      expect.stringContaining('does not accept this one'),
    ]);
    await wonderland.stop();
    expect((await sister.request('SELECT', ALICE)).status).toBe(504);
  });
});
