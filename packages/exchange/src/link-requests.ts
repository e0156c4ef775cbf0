/** What a request on a link with another domain's server is, from its head alone: whose, and whether it may be asked here. */
import { type FospError, forwardingOf, fospError, type RequestHead } from '@fosp/protocol';
import { headerRefusal } from './head-checks.ts';
import { readUser } from './incoming-notifications.ts';
import type { ObjectExtensions } from './party.ts';

export type LinkQuestion =
  /** Of a user of the link's domain, on an object of ours. */
  | { readonly kind: 'user'; readonly user: string }
  /** The link spoke for somebody else: it is to be closed. */
  | { readonly kind: 'foreign-user'; readonly user: string }
  /** What servers ask each other: it is nobody's. */
  | { readonly kind: 'server' }
  /** To be answered with 400, as a bad message. */
  | { readonly kind: 'bad'; readonly mistake: string }
  /** To be answered so; `user` where it is known. */
  | { readonly kind: 'refused'; readonly error: FospError; readonly user: string | undefined };

export interface LinkContext {
  /** That the other end proved. */
  readonly domain: string;
  readonly ownDomains: ReadonlySet<string>;
  readonly extensions: ObjectExtensions;
}

export function readLinkRequest(head: RequestHead, context: LinkContext): LinkQuestion {
  switch (head.type) {
    case 'ACK':
    case 'RETIRE':
    case 'VERIFY':
      return { kind: 'server' };
    case 'CONNECT':
    case 'AUTHENTICATE':
    case 'REGISTER': {
      const text = `This connection is a server's, and authenticated: open another one for ${head.type}.`;
      return { kind: 'refused', error: fospError('malformed', text), user: undefined };
    }
    default:
      return readUserRequest(head, context);
  }
}

/** `From` counts before `User`, which is what older servers send alone, and some without a domain (PROTOCOL §9). */
function readUserRequest(head: RequestHead, { domain, ownDomains, extensions }: LinkContext): LinkQuestion {
  const { headers, resource, type } = head;
  const user = readUser(headers['From'] ?? headers['User'], domain);
  if (user === undefined) {
    return {
      kind: 'bad',
      mistake: `${type} of another domain's user needs the header From, as in From: alice@${domain}.`,
    };
  }
  const forwarding = forwardingOf({ user, domain: resource?.domain ?? '', ownDomains, peer: domain });
  if (forwarding === 'foreign-user') {
    return { kind: 'foreign-user', user };
  }
  if (resource === undefined) {
    return { kind: 'bad', mistake: `${type} needs a resource such as user@domain/path in place of *.` };
  }
  const refusal = headerRefusal(head, extensions);
  if (refusal !== undefined) {
    return { kind: 'refused', error: refusal, user };
  }
  if (forwarding !== 'local') {
    const text = `This server is not responsible for ${resource.domain}, and forwards nothing that comes from a server.`;
    return { kind: 'refused', error: fospError('wrong-server', text), user };
  }
  return { kind: 'user', user };
}
