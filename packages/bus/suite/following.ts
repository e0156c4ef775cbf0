import { expect } from 'vitest';
import { FEDERATION_STREAMS, type FollowedMessage, type Following, type Transport } from '../src/index.ts';
import { Inbox, type MakeEnds, message, onEnds, textOf } from './ends.ts';

const STREAM = FEDERATION_STREAMS[3] ?? '';
const SUBJECT = `${STREAM}.one`;
const MEBIBYTE = 1024 * 1024;

export function followingTests(makeEnds: MakeEnds): void {
  order(makeEnds);
  bounds(makeEnds);
  handOver(makeEnds);
  subjects(makeEnds);
}

/** Only for transports over a link. */
export function brokenFollowingTests(makeEnds: MakeEnds): void {
  onEnds('a follower goes on where it was when its link broke', makeEnds, async ({ one, other, breakLink }) => {
    const { fed, following } = await follow(one, { window: 1000 });
    await Promise.all(append(other, 1, 100));
    await fed.has(100);
    following.acknowledge(fed.items[49]?.position ?? 0);
    await breakLink?.();
    await Promise.all(append(other, 101, 200));
    expect((await fed.has(200)).map(textOf)).toEqual(numbers(1, 200));
    following.acknowledge(fed.items[199]?.position ?? 0);
    await following.stop();
    expect(await other.subjects(STREAM)).toEqual(new Map());
  });
}

interface Followed {
  readonly fed: Inbox<FollowedMessage>;
  /** How many came at once. */
  readonly portions: number[];
  readonly following: Following;
}

async function follow(
  transport: Transport,
  { subject = SUBJECT, window = 256, windowBytes = 16 * MEBIBYTE } = {},
): Promise<Followed> {
  const fed = new Inbox<FollowedMessage>();
  const portions: number[] = [];
  const feed = (messages: readonly FollowedMessage[]) => {
    portions.push(messages.length);
    for (const each of messages) {
      fed.add(each);
    }
  };
  const following = await transport.follow(STREAM, { subject, window, windowBytes, feed });
  return { fed, portions, following };
}

function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => String(from + index));
}

/** Appends numbered messages, in order. Where the stream is this process's, they are kept only once they are acknowledged. */
function append(transport: Transport, from: number, to: number, subject = SUBJECT): Promise<void>[] {
  return numbers(from, to).map((text) => {
    const appended = transport.append(STREAM, subject, { ...message(text), id: `${subject}/${text}` });
    appended.catch(() => undefined);
    return appended;
  });
}

function order(makeEnds: MakeEnds): void {
  onEnds('messages of one subject are fed in order, each once, and go when acknowledged', makeEnds, async (ends) => {
    const { fed, following } = await follow(ends.other);
    const before = Date.now() - 1000;
    const appended = append(ends.one, 1, 1000);
    append(ends.one, 1, 10, `${STREAM}.two`);
    while (fed.items.length < 1000) {
      const seen = fed.items.length;
      await fed.has(seen + 1);
      following.acknowledge(fed.items.at(-1)?.position ?? 0);
    }
    await Promise.all(appended);
    await following.stop();
    expect(fed.items.map(textOf)).toEqual(numbers(1, 1000));
    expect(new Set(fed.items.map(({ subject }) => subject))).toEqual(new Set([SUBJECT]));
    const positions = fed.items.map(({ position }) => position);
    expect(positions.filter((position, index) => !(position > (positions[index - 1] ?? 0)))).toEqual([]);
    expect(positions.every(Number.isSafeInteger)).toBe(true);
    expect(fed.items.filter(({ appendedAt }) => appendedAt < before || appendedAt > Date.now() + 1000)).toEqual([]);
    expect(await ends.one.subjects(STREAM)).toEqual(new Map([[`${STREAM}.two`, 10]]));
  });

  onEnds('messages that waited before anybody followed come first', makeEnds, async ({ one, other }) => {
    append(one, 1, 20);
    const { fed } = await follow(other);
    await fed.has(20);
    append(one, 21, 40);
    expect((await fed.has(40)).map(textOf)).toEqual(numbers(1, 40));
  });

  onEnds('headers and bodies arrive as they were', makeEnds, async ({ one, other }) => {
    const { fed } = await follow(other);
    const headers = { tree: 'älice@wünder.lit', empty: '', path: '/a b/%c' };
    const body = new Uint8Array(7 * MEBIBYTE).fill(9);
    one.append(STREAM, SUBJECT, { headers, body, id: 'large' }).catch(() => undefined);
    const [received] = await fed.has(1);
    expect(received?.headers).toEqual(headers);
    expect(Buffer.compare(received?.body ?? new Uint8Array(), body)).toBe(0);
  });
}

function bounds(makeEnds: MakeEnds): void {
  onEnds('no more than the window is fed unacknowledged, and others flow beside it', makeEnds, async (ends) => {
    const { fed, following } = await follow(ends.other, { window: 100 });
    append(ends.one, 1, 600);
    let most = 0;
    for (let acknowledged = 0; acknowledged < 600; acknowledged += 20) {
      await fed.has(Math.min(acknowledged + 100, 600));
      // What comes by another subject has overtaken whatever else was to come by this one.
      const beside = await follow(ends.other, { subject: `${STREAM}.beside${acknowledged}` });
      append(ends.one, 1, 1, `${STREAM}.beside${acknowledged}`);
      await beside.fed.has(1);
      most = Math.max(most, fed.items.length - acknowledged);
      following.acknowledge(fed.items[acknowledged + 19]?.position ?? 0);
    }
    expect(most).toBe(100);
    expect(fed.items.map(textOf)).toEqual(numbers(1, 600));
  });

  onEnds('no more bytes than the window has are fed unacknowledged, but for one message', makeEnds, async (ends) => {
    const { fed, following } = await follow(ends.other, { windowBytes: 3 * MEBIBYTE });
    const body = new Uint8Array(2 * MEBIBYTE);
    for (let count = 1; count <= 5; count++) {
      ends.one.append(STREAM, SUBJECT, { headers: {}, body, id: String(count) }).catch(() => undefined);
    }
    for (let acknowledged = 0; acknowledged < 5; acknowledged++) {
      await fed.has(Math.min(acknowledged + 2, 5));
      const beside = await follow(ends.other, { subject: `${STREAM}.beside${acknowledged}` });
      append(ends.one, 1, 1, `${STREAM}.beside${acknowledged}`);
      await beside.fed.has(1);
      expect(fed.items.length).toBe(Math.min(acknowledged + 2, 5));
      following.acknowledge(fed.items[acknowledged]?.position ?? 0);
    }
  });

  onEnds('an acknowledgement that is old, repeated or ahead does no harm', makeEnds, async ({ one, other }) => {
    const { fed, following } = await follow(other, { window: 10 });
    append(one, 1, 30);
    await fed.has(10);
    const [first, , third] = fed.items;
    following.acknowledge(third?.position ?? 0);
    following.acknowledge(first?.position ?? 0);
    following.acknowledge(third?.position ?? 0);
    await fed.has(13);
    // Ahead of all that was fed: counts for what was.
    following.acknowledge(Number.MAX_SAFE_INTEGER);
    expect((await fed.has(23)).map(textOf)).toEqual(numbers(1, 23));
    await following.stop();
    following.acknowledge(Number.MAX_SAFE_INTEGER);
    following.rewind();
    expect(await one.subjects(STREAM)).toEqual(new Map([[SUBJECT, 17]]));
  });
}

function handOver(makeEnds: MakeEnds): void {
  onEnds('who follows next begins behind the last that was acknowledged', makeEnds, async ({ one, other }) => {
    const first = await follow(one);
    append(one, 1, 50);
    await first.fed.has(50);
    first.following.acknowledge(first.fed.items[19]?.position ?? 0);
    await first.following.stop();
    const second = await follow(other);
    expect((await second.fed.has(30)).map(textOf)).toEqual(numbers(21, 50));
    expect(second.fed.items.map(({ position }) => position)).toEqual(
      first.fed.items.slice(20).map(({ position }) => position),
    );
    append(one, 51, 60);
    expect((await second.fed.has(40)).map(textOf)).toEqual(numbers(21, 60));
    expect(first.fed.items).toHaveLength(50);
  });

  onEnds('a rewind feeds all that is not acknowledged once more, then what comes behind', makeEnds, async (ends) => {
    const { fed, portions, following } = await follow(ends.other);
    append(ends.one, 1, 10);
    await fed.has(10);
    following.acknowledge(fed.items[3]?.position ?? 0);
    const before = portions.length;
    following.rewind();
    append(ends.one, 11, 12);
    expect((await fed.has(18)).slice(10).map(textOf)).toEqual([...numbers(5, 10), ...numbers(11, 12)]);
    expect(portions[before]).toBeGreaterThanOrEqual(6);
    // What was fed before the rewind may still be acknowledged after it.
    following.rewind();
    following.acknowledge(fed.items.at(-1)?.position ?? 0);
    await following.stop();
    expect(fed.items).toHaveLength(18);
    expect(await ends.one.subjects(STREAM)).toEqual(new Map());
  });
}

function subjects(makeEnds: MakeEnds): void {
  onEnds('subjects are those with messages, all of them or one, with how many', makeEnds, async ({ one, other }) => {
    expect(await one.subjects(STREAM)).toEqual(new Map());
    const names = Array.from({ length: 300 }, (_, index) => `${STREAM}.name${index}`);
    const kept = names.flatMap((name, index) => append(one, 1, (index % 3) + 1, name));
    const followers = await Promise.all(names.slice(0, 10).map((subject) => follow(other, { subject })));
    for (const [index, { fed, following }] of followers.entries()) {
      await fed.has((index % 3) + 1);
      following.acknowledge(fed.items.at(-1)?.position ?? 0);
      await following.stop();
    }
    await Promise.all(kept.slice(0, 3));
    const counts = new Map(names.slice(10).map((name, index) => [name, ((index + 10) % 3) + 1]));
    // Where a stream outlives this process, the last appends may still be on their way.
    await Promise.race([
      Promise.allSettled(kept),
      follow(other, { subject: names[299] ?? '' }).then(({ fed }) => fed.has(3)),
    ]);
    expect(await one.subjects(STREAM)).toEqual(counts);
    expect(await other.subjects(STREAM, names[13])).toEqual(new Map([[names[13], 2]]));
    expect(await other.subjects(STREAM, names[0])).toEqual(new Map());
    expect(await other.subjects(FEDERATION_STREAMS[4] ?? '')).toEqual(new Map());
  });
}
