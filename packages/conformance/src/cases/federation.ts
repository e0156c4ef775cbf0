/**
 * PROTOCOL §9: a server as seen by its clients and, later, by another server: that needs a second domain whose address
 * the server under test can find. What §9 says about clients is also in `grammar.ts` and `bad-messages.ts`.
 */
import type { Case } from '../case.ts';
import { expectStatus } from '../expect.ts';

/** Switched off, too late, not responsible, failed, not now, not to be reached. */
const REFUSALS = [403, 408, 421, 502, 503, 504];

export const federation: readonly Case[] = [
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
];
