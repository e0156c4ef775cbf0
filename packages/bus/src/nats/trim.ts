/**
 * Keeps one subject of a stream within bounds. The server tells how many messages a subject has, and not how large they are: some of
 * them, from all over what waits, stand for all. It asks for these only where the stream as a whole is large enough.
 */
import type { JetStreamManager } from '@nats-io/jetstream';
import type { Kept } from '../transport.ts';
import type { Link } from './link.ts';

export interface TrimServer {
  readonly link: Link;
  readonly manager: JetStreamManager;
}

/** As the server knows them. */
export interface TrimPlace {
  readonly stream: string;
  readonly subject: string;
}

const SAMPLES = 16;

/** @returns how many messages were removed */
export async function trimSubject(server: TrimServer, place: TrimPlace, keep: Kept): Promise<number> {
  const { link, manager } = server;
  const { stream, subject: filter } = place;
  const { state } = await link.whileUp(() => manager.streams.info(stream, { subjects_filter: filter }));
  const count = state.subjects?.[filter] ?? 0;
  let most = keep.messages;
  if (count > 0 && state.bytes > keep.bytes) {
    const mean = await meanBytes(server, place, { first: state.first_seq, last: state.last_seq });
    most = Math.min(most, Math.floor(keep.bytes / mean));
  }
  if (count <= most) {
    return 0;
  }
  const which = most === 0 ? { filter } : { filter, keep: most };
  return (await link.whileUp(() => manager.streams.purge(stream, which))).purged;
}

async function meanBytes(
  { link, manager }: TrimServer,
  { stream, subject }: TrimPlace,
  { first, last }: { readonly first: number; readonly last: number },
): Promise<number> {
  const sizes: number[] = [];
  let seen = first - 1;
  for (let sample = 0; sample < SAMPLES; sample++) {
    const seq = Math.max(seen + 1, first + Math.floor(((last - first) * sample) / SAMPLES));
    const query = { seq, next_by_subj: subject };
    const message = await link.whileUp(() => manager.streams.getMessage(stream, query));
    if (message === null) {
      break;
    }
    seen = message.seq;
    sizes.push(message.data.length);
  }
  return Math.max(1, sizes.reduce((sum, size) => sum + size, 0) / Math.max(1, sizes.length));
}
