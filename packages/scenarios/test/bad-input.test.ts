import { readFileSync } from 'node:fs';
import { ALICE, ServerProcess, TestSession, temporaryDirectory, WireClient } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { throwBadInput } from '../src/bad-input.ts';

const MIB = 1024 * 1024;
/** Hundreds of logins are not what is tried here. */
const CHEAP = { FOSP_HASH_MEMORY: '1 MiB' };

/** Highest resident memory so far, bytes. */
function peakMemory(server: ServerProcess): number {
  return Number(readFileSync(`/proc/${server.pid}/status`, 'utf8').match(/VmHWM:\s+(\d+)/)?.[1]) * 1024;
}

describe('bad input', { timeout: 300_000 }, () => {
  it('F9 F17 F25 answers or closes by name whatever mutated messages it gets, and serves the next client', async () => {
    await using directory = await temporaryDirectory();
    await using server = await ServerProcess.start({
      dataDirectory: directory.path,
      environment: {
        ...CHEAP,
        ...{ FOSP_LIMIT_LOGIN_FAILURES_PER_MINUTE: '1000000', FOSP_LIMIT_REGISTRATIONS_PER_MINUTE: '1000000' },
      },
    });
    await (await TestSession.register(server.url, ALICE)).close();
    const result = await throwBadInput(server.url, 3000, Math.random);
    expect(result.wrong).toEqual([]);
    expect(result.answers).toBeGreaterThan(100);
    expect([...result.statuses.keys()]).toEqual(expect.arrayContaining([400, 424]));
    expect([...result.closes.keys()]).toContain(1002);
  });

  it('F3 F31 holds no more than its budget for many slow senders of large files, and serves others meanwhile', async () => {
    await using directory = await temporaryDirectory();
    const budget = 16 * MIB;
    await using server = await ServerProcess.start({
      dataDirectory: directory.path,
      environment: { ...CHEAP, FOSP_TRANSFER_MEMORY: String(budget) },
    });
    const alice = await TestSession.register(server.url, ALICE);
    await alice.succeed('CREATE', `${ALICE}/file`);
    const senders = await Promise.all(Array.from({ length: 80 }, () => TestSession.logIn(server.url, ALICE)));
    const before = peakMemory(server);
    senders.forEach(({ wire }, index) => {
      // Half of them send objects, which have to be held until they are whole, and half files, which pass through.
      wire.sendPart(
        index % 2 === 0 ? `CREATE ${ALICE}/never${index} 1000\r\n\r\n{"data":"` : `WRITE ${ALICE}/file 1000\r\n\r\n`,
      );
      wire.sendPart(Buffer.alloc(index % 2 === 0 ? 200 * 1024 : 8 * MIB, 'x'));
    });
    for (let index = 0; index < 20; index++) {
      await alice.succeed('SELECT', `${ALICE}/file`);
      await alice.succeed('WRITE', `${ALICE}/file`, { body: Buffer.alloc(MIB, index) });
    }
    expect((await alice.succeed('READ', `${ALICE}/file`)).body.length).toBe(MIB);
    // 320 MiB were on their way. Beside the budget there is what the collector has not looked at yet.
    expect(peakMemory(server) - before).toBeLessThan(budget + 128 * MIB);
    for (const { wire } of senders) {
      wire.terminate();
    }
  });

  it('F57 closes a client that never reads its notifications with 1013 and keeps serving', async () => {
    await using directory = await temporaryDirectory();
    await using server = await ServerProcess.start({
      dataDirectory: directory.path,
      environment: { ...CHEAP, FOSP_LIMIT_SEND_BUFFER: String(MIB) },
    });
    const alice = await TestSession.register(server.url, ALICE);
    await alice.succeed('CREATE', `${ALICE}/loud`, {
      body: { subscriptions: { [ALICE]: { events: ['updated'], depth: 0 } } },
    });
    const deaf = await WireClient.open(server.url);
    deaf.send('CONNECT * 1\r\n\r\n{"version":"0.1"}');
    await deaf.next();
    deaf.send(`AUTHENTICATE * 2\r\n\r\n${JSON.stringify({ name: 'alice', password: 'curiouser and curiouser' })}`);
    await deaf.next();
    deaf.pause();
    for (let index = 0; index < 120; index++) {
      await alice.succeed('UPDATE', `${ALICE}/loud`, { body: { data: `${index}${'x'.repeat(200_000)}` } });
    }
    expect((await alice.notifications.take(120)).length).toBe(120);
    deaf.resume();
    expect((await deaf.closed).code).toBeOneOf([1013, 1006]);
  });
});
