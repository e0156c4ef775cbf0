import { dnsInstalled, startBrokenDns, startDns, temporaryDirectory } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { Federation } from '../harness.ts';
import { until } from '../test-peer.ts';
import { tell } from './telling.ts';

const NOBODY = 'made-up.example';
const HOUR = 3600 * 1000;

describe.skipIf(!dnsInstalled())('notifications for a domain of which DNS says that it has no server', () => {
  it('F59 are few, and go after an hour of that', async () => {
    await using dns = await startDns({});
    await using folder = await temporaryDirectory();
    const time = { now: Date.now() };
    await using federation = await Federation.start({
      environment: { FOSP_DNS_SERVERS: dns.address },
      folder: folder.path,
      limits: { nowhereQueued: 5, pauses: { first: 10, longest: 50 }, redials: { perSecond: 1000, burst: 1000 } },
      clock: () => time.now,
    });
    for (let sequence = 1; sequence <= 20; sequence++) {
      await tell(federation, sequence, { user: `x@${NOBODY}` });
    }
    const dropped = () => federation.metric('fosp_federation_notifications_total{what="nowhere"}');
    await until(async () => (await dropped()) === 15, 'all but five to be dropped');
    time.now += 0.9 * HOUR;
    await tell(federation, 21, { user: `x@${NOBODY}` });
    await until(async () => (await dropped()) === 16, 'one more to be dropped');
    expect((await federation.statusOf(NOBODY))?.queued).toBe(5);
    time.now += 0.2 * HOUR;
    await until(async () => (await dropped()) === 21, 'all to be dropped');
  });

  it('F59 are kept where that is not certain', async () => {
    await using broken = await startBrokenDns('server failure');
    await using folder = await temporaryDirectory();
    const time = { now: Date.now() };
    await using federation = await Federation.start({
      environment: { FOSP_DNS_SERVERS: broken.address },
      folder: folder.path,
      limits: { nowhereQueued: 5, pauses: { first: 10, longest: 50 }, redials: { perSecond: 1000, burst: 1000 } },
      clock: () => time.now,
    });
    for (let sequence = 1; sequence <= 20; sequence++) {
      await tell(federation, sequence, { user: `x@${NOBODY}` });
    }
    const lookups = () => federation.metric('fosp_federation_lookups_total{result="failed"}');
    for (let hours = 0; hours < 3; hours++) {
      const before = await lookups();
      time.now += HOUR;
      await until(async () => (await lookups()) > before, 'it to be looked up anew');
    }
    expect(await federation.statusOf(NOBODY)).toMatchObject({ queued: 20, dropped: {} });
  });
});
