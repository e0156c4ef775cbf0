import { domainOf, parseResourceId, REQUEST_TYPES, type RequestHead, SERVER_REQUEST_TYPES } from '@fosp/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LinkQuestion, readLinkRequest } from '../src/link-requests.ts';

const CONTEXT = {
  domain: 'realworld.lit',
  ownDomains: new Set(['wonderland.lit', 'looking-glass.lit']),
  extensions: { etag: false, page: false },
};

function read(headers: Record<string, string>, resource: string | undefined = 'alice@wonderland.lit/a'): LinkQuestion {
  const id = resource === '*' ? undefined : parseResourceId(resource);
  return readLinkRequest({ kind: 'request', type: 'SELECT', resource: id, sequence: 1, headers }, CONTEXT);
}

describe('whose a request on a link is, and whether it may be asked', () => {
  it.each<[Record<string, string>, string, Partial<LinkQuestion>]>([
    [{ From: 'sister@realworld.lit' }, 'alice@wonderland.lit/a', { kind: 'user' }],
    [{ From: 'sister@realworld.lit' }, 'alice@looking-glass.lit', { kind: 'user' }],
    [{ User: 'Sister' }, 'alice@wonderland.lit/a', { kind: 'user', user: 'sister@realworld.lit' }],
    [{ From: 'queen@elsewhere.lit' }, 'alice@wonderland.lit/a', { kind: 'foreign-user' }],
    [{ From: 'alice@wonderland.lit' }, '*', { kind: 'foreign-user' }],
    [{ From: 'queen@elsewhere.lit' }, 'queen@elsewhere.lit/a', { kind: 'foreign-user' }],
    [{ From: 'sister' }, '*', { kind: 'bad' }],
    [{}, 'alice@wonderland.lit/a', { kind: 'bad' }],
    [{ From: 'a@b@realworld.lit' }, 'alice@wonderland.lit/a', { kind: 'bad' }],
    [{ From: 'sister' }, 'queen@elsewhere.lit/a', { kind: 'refused' }],
    [{ From: 'sister' }, 'sister@realworld.lit/a', { kind: 'refused' }],
  ])('F61 F65 F67 %j on %s', (headers, resource, expected) => {
    expect(read(headers, resource)).toMatchObject(expected);
  });

  it('F65 F67 never takes a request that is not of a user of its domain, on one of ours', () => {
    const name = fc.constantFrom('sister', 'SISTER', 'a b', '', 'é', 'alice');
    const domain = fc.constantFrom(
      'realworld.lit',
      'RealWorld.LIT.',
      'wonderland.lit',
      'elsewhere.lit',
      'sub.realworld.lit',
      '',
    );
    const user = fc.oneof(
      fc.string(),
      name,
      fc.tuple(name, domain).map(([before, after]) => `${before}@${after}`),
    );
    const tree = fc.constantFrom(
      'alice@wonderland.lit',
      'a@looking-glass.lit/b',
      'queen@elsewhere.lit',
      'x@realworld.lit',
    );
    const type = fc.constantFrom<RequestHead['type']>(...REQUEST_TYPES, ...SERVER_REQUEST_TYPES);
    let taken = 0;
    fc.assert(
      fc.property(type, tree, fc.option(user), fc.option(user), (asked, resource, from, old) => {
        const headers = { ...(from === null ? {} : { From: from }), ...(old === null ? {} : { User: old }) };
        const id = parseResourceId(resource);
        const head: RequestHead = { kind: 'request', type: asked, resource: id, sequence: 1, headers };
        const question = readLinkRequest(head, CONTEXT);
        if (question.kind === 'user') {
          taken++;
          expect(domainOf(question.user)).toBe('realworld.lit');
          expect(CONTEXT.ownDomains).toContain(id.domain);
        } else if (question.kind === 'foreign-user') {
          expect(domainOf(question.user)).not.toBe('realworld.lit');
        } else if (question.kind === 'server') {
          expect(SERVER_REQUEST_TYPES).toContain(asked);
        }
      }),
      { numRuns: 1000 },
    );
    expect(taken).toBeGreaterThan(0);
  });
});
