import { ATTACHMENTS, OBJECTS } from '@fosp/bus';
import { describe, expect, it } from 'vitest';
import { HeldCalls, startGateway } from './harness.ts';

describe('what an operator sees of a gateway', () => {
  it('is how many requests it works at, and what clients leave unread', async () => {
    const gateway = await startGateway({
      environment: { FOSP_LIMIT_CONNECTIONS: '17' },
      limits: { backlog: 1 },
    });
    const lists = await HeldCalls.of(gateway.bus, OBJECTS.list);
    const selects = await HeldCalls.of(gateway.bus, OBJECTS.select);
    const [alice, bob] = await Promise.all([gateway.logIn('alice'), gateway.logIn('bob')]);
    const held = [
      alice.request('LIST', 'alice@wonderland.lit'),
      alice.request('SELECT', 'alice@wonderland.lit/a'),
      bob.request('SELECT', 'bob@wonderland.lit'),
    ];
    await Promise.all([lists.count(1), selects.count(2)]);
    expect(await gateway.metric('fosp_gateway_sessions')).toBe(2);
    expect(await gateway.metric('fosp_gateway_sessions_limit')).toBe(17);
    expect(await gateway.metric('fosp_gateway_requests_in_flight')).toBe(3);
    expect(await gateway.metric('fosp_gateway_send_queue_bytes')).toBe(0);

    alice.wire.pause();
    lists.calls[0]?.answer('"'.padEnd(7_800_000, 'x'));
    await expect.poll(() => gateway.metric('fosp_gateway_send_queue_bytes')).toBeGreaterThan(1_000_000);
    const [all, largest] = await Promise.all([
      gateway.metric('fosp_gateway_send_queue_bytes'),
      gateway.metric('fosp_gateway_send_queue_largest_bytes'),
    ]);
    expect(largest).toBe(all);
    alice.wire.resume();
    selects.calls[0]?.answer('{}');
    selects.calls[1]?.answer('{}');
    await Promise.all(held);
    expect(await gateway.metric('fosp_gateway_requests_in_flight')).toBe(0);
    expect(await gateway.metric('fosp_gateway_send_queue_bytes')).toBe(0);
  });

  it('is how many files are on their way, and how long they took', async () => {
    const gateway = await startGateway();
    const begun = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    const answer = async () => {
      begun.resolve();
      await held.promise;
      return { fields: { url: 'http://127.0.0.1/of-nothing', size: '0' } };
    };
    await gateway.bus.serve(ATTACHMENTS.read, answer, { concurrency: 1 });
    const alice = await gateway.logIn('alice');
    const read = alice.request('READ', 'alice@wonderland.lit/a');
    await begun.promise;
    expect(await gateway.metric('fosp_gateway_transfers{direction="down"}')).toBe(1);
    expect(await gateway.metric('fosp_gateway_transfers{direction="up"}')).toBe(0);
    held.resolve();
    expect((await read).status).toBe(200);
    expect(await gateway.metric('fosp_gateway_transfers{direction="down"}')).toBe(0);
    expect(await gateway.metric('fosp_gateway_transfer_seconds_count{type="READ"}')).toBe(1);
  });
});
