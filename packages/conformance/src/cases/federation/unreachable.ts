/** PROTOCOL §9: domains that nobody can reach, and where others find this one's servers. */
import type { Case } from '../../case.ts';
import { expectEqual, expectStatus, expectThat } from '../../expect.ts';
import { isRecord } from '../../wire/strict.ts';

/** Switched off, too late, not responsible, failed, not now, not to be reached. */
const REFUSALS = [403, 408, 421, 502, 503, 504];

export const unreachable: readonly Case[] = [
  {
    id: 'foreign-domain-unreachable',
    covers: ['F34', 'F64', 'F66'],
    section: '9',
    title: 'a request for a domain that cannot be reached is refused as such, not as missing or malformed',
    async run(t) {
      const alice = await t.shared('alice');
      for (const type of ['SELECT', 'LIST']) {
        expectStatus(await alice.request(type, 'sister@no-such-domain.invalid/a'), REFUSALS, type);
      }
    },
  },
  {
    id: 'foreign-domain-before-body',
    covers: ['F34', 'F64'],
    section: '4',
    title: 'that a domain cannot be reached comes before a body that is too large (413)',
    async run(t) {
      const alice = await t.shared('alice');
      const large = { data: 'x'.repeat(t.limits.object + t.limits.acl + 32_768) };
      for (const type of ['CREATE', 'UPDATE']) {
        const reply = await alice.request(type, 'sister@no-such-domain.invalid/a', { body: large });
        expectStatus(reply, REFUSALS, type);
      }
    },
  },
  {
    id: 'well-known',
    covers: ['F62'],
    section: '9',
    title: '/.well-known/fosp names the domain, and ports where its servers are',
    async run(t) {
      const { status, type, text } = await t.get('/.well-known/fosp');
      if (status === 404) t.skip('the server has no such document: others find it by DNS');
      expectEqual([status, /^application\/json\b/.test(type)], [200, true], 'HTTP status, and whether it is JSON');
      const found: unknown = JSON.parse(text);
      const { domains = [], wsPort, wssPort } = isRecord(found) ? found : {};
      expectThat(Array.isArray(domains) && domains.includes(t.domain), `"domains" with ${t.domain}`, text);
      for (const port of [wsPort, wssPort].filter((one) => one !== undefined)) {
        expectThat(Number.isInteger(port) && Number(port) > 0 && Number(port) < 65_536, 'ports', text);
      }
    },
  },
];
