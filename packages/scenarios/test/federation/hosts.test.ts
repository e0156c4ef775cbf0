/**
 * What a user sees of section 9, between providers on hosts of their own: each pair of kinds, each both ways, by TLS whose
 * certificates are checked, with DNS alone to find and to believe each other.
 */
import { type Case, FEDERATION_CASES, type Result, type Run, resultText } from '@fosp/conformance';
import { authorityInstalled, clusterInstalled, dnsInstalled, hostsPermitted } from '@fosp/testkit';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { IMPOSTOR, type Provider, runsOf, startWorld, type World } from './world.ts';

type Name = 'wonderland' | 'realworld' | 'lookingglass' | 'teaparty';

const PAIRS: readonly (readonly [string, Name, Name])[] = [
  ['a single server and another', 'lookingglass', 'teaparty'],
  ['a cluster and another', 'wonderland', 'realworld'],
  ['a single server and a cluster', 'teaparty', 'wonderland'],
];
const DIRECTIONS = PAIRS.flatMap(([kind, one, other]) => [[kind, one, other] as const, [kind, other, one] as const]);
/** At the same time, of one direction. */
const JOBS = 6;

/** Some of each kind, once a host is lost. */
const LEFT = FEDERATION_CASES.filter(({ id }) =>
  ['forwarded-requests', 'remote-notified', 'remote-files', 'outgoing-notifications', 'link-requests'].includes(id),
);

const isPossible = [clusterInstalled(), dnsInstalled(), authorityInstalled(), hostsPermitted()].every(Boolean);

describe.skipIf(!isPossible)('providers on hosts of their own', { timeout: 300_000 }, () => {
  const cleanup = new AsyncDisposableStack();
  let world: World;

  beforeAll(async () => {
    world = cleanup.use(await startWorld());
  }, 600_000);

  afterAll(() => cleanup.disposeAsync());

  it.each(DIRECTIONS)(
    'F59 F60 F61 F62 F63 F64 F65 F67 F68 F69 conform: %s, %s for users of %s',
    async (_, name, other) => {
      const { run, peer } = runsOf(world, world[name], world[other]);
      cleanup.defer(() => run.close());
      cleanup.defer(() => peer.close());
      const results = await all(run);
      expect(results.filter(({ outcome }) => outcome !== 'ok').map(resultText)).toEqual([]);
      expect(results).toHaveLength(FEDERATION_CASES.length);
    },
  );

  it('F62 F69 found each other by SRV records, by addresses of either kind, and by a document', async () => {
    const questions = new Set(await world.questions());
    for (const asked of ['SRV _fosp._wss._tcp.wonderland.lit', 'SRV _fosp._wss._tcp.realworld.lit']) {
      expect(questions).toContain(asked);
    }
    for (const name of ['server-1.wonderland.lit', 'server-2.wonderland.lit', 'realworld.lit', 'teaparty.lit']) {
      expect(questions).toContain(`A ${name}`);
      expect(questions).toContain(`AAAA ${name}`);
    }
    expect(questions).not.toContain('A wonderland.lit');
  });

  it('F63 believed each other by their addresses: nobody had to ask after a key', async () => {
    for (const name of ['wonderland', 'realworld', 'lookingglass', 'teaparty'] as const) {
      const [admitted, asked] = await Promise.all([
        counted(world[name], 'fosp_federation_claims_total{result="admitted"}'),
        counted(world[name], 'fosp_federation_verifications_total{result="ours"}'),
      ]);
      expect([name, admitted > 0, asked]).toEqual([name, true, 0]);
    }
  });

  it('F62 F64 does not speak to a server without a certificate for the domain, whatever DNS says', async () => {
    const { run, peer } = runsOf(world, world.realworld, world.teaparty);
    await using closing = new AsyncDisposableStack();
    closing.defer(() => run.close());
    closing.defer(() => peer.close());
    const result = await run.execute({
      ...{ id: 'impostor', covers: ['F64'], section: '9', title: 'an impostor is not spoken to' },
      run: async (t) => {
        const alice = await t.shared('alice');
        expect((await alice.select(`sister@${IMPOSTOR}/a`)).status).toBe(504);
      },
    });
    expect(result.outcome, resultText(result)).toBe('ok');
    const log = world.realworld.log().filter((line) => line.includes(IMPOSTOR));
    expect(log.join()).toContain('certificate');
  });

  it('F68 goes on with one host of a cluster where the other is lost, for users of either domain', async () => {
    const wonderland = await world.wonderland.loseHost();
    for (const [name, other] of [
      [wonderland, world.realworld],
      [world.realworld, wonderland],
    ] as const) {
      // What was under way is answered 502, and for a moment nobody has the links.
      await vi.waitFor(
        async () => {
          const { run, peer } = runsOf(world, name, other);
          const results = await all(run, LEFT);
          await Promise.all([run.close(), peer.close()]);
          expect(results.filter(({ outcome }) => outcome !== 'ok').map(resultText)).toEqual([]);
        },
        { timeout: 240_000, interval: 1000 },
      );
    }
  });
});

async function all(run: Run, cases: readonly Case[] = FEDERATION_CASES): Promise<Result[]> {
  const waiting = cases.values();
  const results: Result[] = [];
  const work = async () => {
    for (const one of waiting) {
      results.push(await run.execute(one));
    }
  };
  await Promise.all(Array.from({ length: JOBS }, work));
  return results;
}

/** Over all processes of the provider. */
async function counted({ admins }: Provider, metric: string): Promise<number> {
  const texts = await Promise.all(admins.map(async (admin) => (await fetch(`${admin}/metrics`)).text()));
  const lines = texts.flatMap((text) => text.split('\n').filter((line) => line.startsWith(`${metric} `)));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
