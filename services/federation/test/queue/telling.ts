/** Notifications as the notifications service appends them, and what a test does with them at the other side. */
import type { RemoteNotificationHeaders } from '@fosp/bus';
import { expect } from 'vitest';
import { ALICE, type Federation, SISTER } from '../harness.ts';
import type { PeerLink, PeerMessage } from '../test-peer.ts';

/** Resolves once it is kept; on the bus of these tests, once it left the queue. */
export function tell(
  { bus }: Federation,
  sequence: number,
  headers: Partial<RemoteNotificationHeaders> = {},
  body = '{}',
): Promise<void> {
  const user = headers.user ?? SISTER;
  const domain = user.slice(user.indexOf('@') + 1);
  const told = bus.appendRemote(
    domain,
    {
      ...{ tree: ALICE, path: '/a', event: 'UPDATED', user, source: ALICE, sequence: String(sequence), part: '0' },
      ...headers,
    },
    Buffer.from(body),
  );
  bus.nudge(domain, 'queued');
  // Those that a test leaves behind end with its bus.
  told.catch(() => undefined);
  return told;
}

export async function take(link: PeerLink, count: number): Promise<PeerMessage[]> {
  const messages: PeerMessage[] = [];
  while (messages.length < count) {
    messages.push(await link.next());
  }
  return messages;
}

export function idOf({ headers }: PeerMessage): number {
  return Number(headers['Id']);
}

export async function acknowledge(link: PeerLink, id: number): Promise<void> {
  link.send('ACK * 7', { headers: { Id: String(id) } });
  expect(await link.next()).toMatchObject({ type: 'SUCCEEDED', words: ['200', '7'] });
}

export function sent(federation: Federation): Promise<number> {
  return federation.metric('fosp_federation_notifications_total{what="sent"}');
}
