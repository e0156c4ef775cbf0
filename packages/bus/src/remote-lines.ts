/** The lines in which notifications wait for users of other domains, as subjects of a transport's streams. */
import type { ConsumeRemoteOptions } from './bus-options.ts';
import { fromHeaders } from './calling.ts';
import {
  FEDERATION_STREAMS,
  federationPlace,
  federationPlaces,
  type LineLengths,
  lineInSubject,
  lineOf,
  type RemoteLine,
  type RemoteNotificationHeaders,
} from './events.ts';
import type { BusHeaders, Following, FollowOptions, Transport } from './transport.ts';

const REMOTE_WINDOW = 256;
const REMOTE_WINDOW_BYTES = 16 * 1024 * 1024;

/**
 * Hands on what is in a line, and what an older program appended for all of ours, in the order of the stream. That does not hold for what
 * an older program follows meanwhile, which knows its own subject alone (see docs/operations.md, upgrade of a cluster).
 */
export function followLine(
  transport: Transport,
  line: RemoteLine,
  options: ConsumeRemoteOptions & Pick<FollowOptions, 'feed'>,
): Promise<Following> {
  const { window = REMOTE_WINDOW, windowBytes = REMOTE_WINDOW_BYTES, feed } = options;
  const { takes = (own: string) => own === line.own } = options;
  const { stream, subject, older } = federationPlace(line);
  const isMine = (headers: BusHeaders) =>
    takes(lineOf(line.domain, fromHeaders<RemoteNotificationHeaders>(headers)).own);
  return transport.follow(stream, { subject, older: { subject: older, isMine }, window, windowBytes, feed });
}

/** By domain. */
export async function allLineLengths(transport: Transport): Promise<ReadonlyMap<string, LineLengths>> {
  const lengths = new Map<string, Map<string, number>>();
  for (const subjects of await Promise.all(FEDERATION_STREAMS.map((stream) => transport.subjects(stream)))) {
    for (const [subject, count] of subjects) {
      const { own, domain } = lineInSubject(subject);
      const lines = lengths.get(domain) ?? new Map<string, number>();
      lengths.set(domain, lines.set(own, count));
    }
  }
  return lengths;
}

export async function lineLengths(transport: Transport, domain: string): Promise<LineLengths> {
  const { stream, all, older } = federationPlaces(domain);
  const found = await Promise.all([all, older].map((subject) => transport.subjects(stream, subject)));
  return new Map(
    found.flatMap((subjects) => Array.from(subjects, ([name, count]) => [lineInSubject(name).own, count])),
  );
}

export function totalOf(lengths: LineLengths): number {
  return lengths.values().reduce((sum, count) => sum + count, 0);
}
