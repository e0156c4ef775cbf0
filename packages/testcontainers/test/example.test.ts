/** The README's examples, as somebody else would write them. */
import { FospCluster, FospContainer } from '@fosp/testcontainers';
import { engineAnswers, fospImage } from '@fosp/testkit';
import { beforeAll, describe, expect, it } from 'vitest';

const BUILD_PATIENCE = 600_000;

describe.skipIf(!engineAnswers('@fosp/testcontainers'))('the examples', { timeout: 240_000 }, () => {
  beforeAll(async () => {
    await fospImage();
  }, BUILD_PATIENCE);

  it('tells Alice of what Bob does', async () => {
    await using fosp = await new FospContainer().withDomain('wonderland.lit').start();
    const alice = await fosp.register('alice');
    const bob = await fosp.register('bob');

    await alice.create('alice@wonderland.lit/wall', {
      acl: { users: { 'bob@wonderland.lit': { data: ['read', 'write'] } } },
      subscriptions: { 'alice@wonderland.lit': { depth: 0, events: ['UPDATED'] } },
    });
    const events = alice.notifications();
    await bob.update('alice@wonderland.lit/wall', { data: 'Bob was here' });

    const { value } = await events.next();
    expect(value).toMatchObject({ event: 'UPDATED', resource: 'alice@wonderland.lit/wall' });
  });

  it('keeps what it has while its pods die', async () => {
    await using cluster = await FospCluster.start({ domain: 'wonderland.lit', replicas: { federation: 1 } });
    const [first, second] = cluster.urls;
    const alice = await cluster.register('alice', { url: first });
    await alice.create('alice@wonderland.lit/notes', { data: 'tea at four' });
    await alice.write('alice@wonderland.lit/notes', Buffer.from('and cake'));

    await cluster.pod('gateway-1').kill();
    await cluster.pod('objects-1').kill();
    await cluster.pod('redis').pause();

    const again = await cluster.logIn('alice', { url: second });
    const { value } = await again.select('alice@wonderland.lit/notes');
    expect(value).toMatchObject({ data: 'tea at four', attachment: { size: 8 } });
  });
});
