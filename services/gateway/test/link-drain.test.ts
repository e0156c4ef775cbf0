import { OBJECTS } from '@fosp/bus';
import { WireClient } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { FederationStandIn } from './federation-stand-in.ts';
import { HeldCalls, startGateway } from './harness.ts';
import { ServerEnd } from './server-end.ts';

const SISTER = 'sister@realworld.lit';
const TREE = 'alice@wonderland.lit';

/** A gateway, and a link of another domain with it on which a request is in flight. */
async function start(extensions: readonly string[], graceSeconds = 60) {
  const gateway = await startGateway({ limits: { graceSeconds } });
  await FederationStandIn.serve(gateway.bus);
  const held = await HeldCalls.of(gateway.bus, OBJECTS.select);
  const link = await ServerEnd.link(gateway.url, { extensions });
  link.answers = false;
  const asked = link.ask(SISTER, 'SELECT', `${TREE}/a`);
  await held.count(1);
  return { gateway, held, link, asked };
}

describe('a link of another domain with a gateway that stops', () => {
  it('F68 is closed with 1012 once its other end asks elsewhere, and nothing that came meanwhile is refused', async () => {
    const { gateway, held, link, asked } = await start(['retire']);
    const drained = gateway.service.drain();
    const told = await link.requests.next();
    expect(told).toMatchObject({ type: 'RETIRE', words: ['*', expect.stringMatching(/^\d+$/)] });
    const meanwhile = link.ask(SISTER, 'SELECT', `${TREE}/b`);
    await held.count(2);
    for (const { answer } of held.calls) {
      answer('{}');
    }
    expect([(await asked).status, (await meanwhile).status]).toEqual([200, 200]);
    link.send(`SUCCEEDED 200 ${told.words[1]}`);
    expect((await link.wire.closed).code).toBe(1012);
    await drained;
  });

  it('F68 refuses what comes with 503 where its other end knows nothing of that', async () => {
    const { gateway, held, link, asked } = await start([]);
    const drained = gateway.service.drain();
    await expect(WireClient.open(gateway.url)).rejects.toThrow('503');
    expect((await link.ask(SISTER, 'SELECT', `${TREE}/b`)).status).toBe(503);
    held.calls[0]?.answer('{}');
    expect((await asked).status).toBe(200);
    expect((await link.wire.closed).code).toBe(1012);
    await drained;
  });

  it('F68 is not waited for beyond the time of grace', async () => {
    const { gateway, link, asked } = await start(['retire'], 0.05);
    const cut = expect(asked).rejects.toThrow('1001');
    await gateway.service.drain();
    expect((await link.requests.next()).type).toBe('RETIRE');
    await cut;
  });

  it('F68 is not told so by who dialled it', async () => {
    const gateway = await startGateway();
    await FederationStandIn.serve(gateway.bus);
    const link = await ServerEnd.link(gateway.url, { extensions: ['retire'] });
    expect((await link.request('RETIRE', '*')).status).toBe(400);
  });
});
