import { Bus, FEDERATION, InProcessTransport } from '@fosp/bus';
import { createLog, Metrics } from '@fosp/runtime';
import { expect, it } from 'vitest';
import { createFederationService } from '../src/index.ts';

it('F61 says that other domains cannot be reached yet, and which one was asked for', async () => {
  const bus = new Bus(new InProcessTransport());
  const metrics = new Metrics();
  const service = createFederationService({ bus, metrics, log: await createLog({ name: 'test', level: 'silent' }) });
  await service.start();
  await expect(bus.call(FEDERATION.adopt, { domain: 'realworld.lit' })).rejects.toMatchObject({
    code: 'unreachable',
    status: 504,
    message: 'realworld.lit cannot be reached: this server does not talk to other domains yet.',
  });
  expect((await metrics.text()).body).toContain('fosp_federation_unreachable_total 1');

  await service.drain();
  await expect(bus.call(FEDERATION.adopt, { domain: 'realworld.lit' })).rejects.toMatchObject({ code: 'unavailable' });
});
