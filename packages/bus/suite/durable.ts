import { expect } from 'vitest';
import { changesSubject, type DurableMessage, STREAMS, type Transport } from '../src/index.ts';
import { Inbox, type MakeEnds, message, onEnds, signal, textOf } from './ends.ts';

const SUBJECT = `${STREAMS.changes}.3`;

export function durableTests(makeEnds: MakeEnds): void {
  ordering(makeEnds);
  repeating(makeEnds);
  sharing(makeEnds);
}

/** Appends as an outbox does: `text` under its own id, with the key as a header. */
function append(transport: Transport, key: string, text: string, subject = SUBJECT): Promise<void> {
  return transport.append(STREAMS.changes, subject, { ...message(text, { tree: key }), id: `${key}/${text}` });
}

function consume(transport: Transport, handler: (received: DurableMessage) => Promise<void>, consumer = 'suite') {
  const key = (received: DurableMessage) => received.headers['tree'] ?? '';
  return transport.consume(STREAMS.changes, { consumer, subject: SUBJECT, key, handler });
}

function ordering(makeEnds: MakeEnds): void {
  onEnds(
    'messages of a key are handled in order and one at a time, those of others beside them',
    makeEnds,
    async ({ one, other }) => {
      const handled = new Map<string, string[]>();
      const running = new Set<string>();
      let overlapping = 0;
      // The first waits for one of another key, which has to be handled beside it.
      const beside = signal();
      const all = new Inbox<number>();
      await consume(other, async (received) => {
        const key = received.headers['tree'] ?? '';
        overlapping += running.has(key) ? 1 : 0;
        running.add(key);
        if (running.size > 1) {
          beside.reach();
        }
        await beside.reached;
        for (let turns = received.position % 4; turns >= 0; turns--) {
          await new Promise((resolve) => setImmediate(resolve));
        }
        running.delete(key);
        handled.set(key, [...(handled.get(key) ?? []), textOf(received)]);
        all.add(received.position);
      });
      const keys = ['a@x', 'b@x', 'c@x', 'd@x', 'é@x'];
      const texts = Array.from({ length: 60 }, (_, index) => String(index));
      await Promise.all(texts.flatMap((text) => keys.map((key) => append(one, key, text))));
      await all.has(keys.length * texts.length);

      expect(Object.fromEntries(handled)).toEqual(Object.fromEntries(keys.map((key) => [key, texts])));
      expect(overlapping).toBe(0);
    },
  );

  onEnds('positions increase', makeEnds, async ({ one, other }) => {
    const positions = new Inbox<number>();
    await consume(other, async ({ position }) => positions.add(position));
    for (const text of ['1', '2', '3', '4', '5']) {
      await append(one, 'a@x', text);
    }
    const seen = await positions.has(5);
    expect(new Set(seen).size).toBe(5);
    expect([...seen].sort((a, b) => a - b)).toEqual(seen);
  });

  onEnds('messages appended before anybody consumes wait', makeEnds, async ({ one, other }) => {
    const kept = Promise.all(['1', '2', '3'].map((text) => append(one, 'a@x', text)));
    const handled = new Inbox<string>();
    await consume(other, async (received) => handled.add(textOf(received)));
    expect(await handled.has(3)).toEqual(['1', '2', '3']);
    await kept;
  });

  onEnds('a consumer gets the subjects of its pattern alone', makeEnds, async ({ one, other }) => {
    const handled = new Inbox<string>();
    await consume(other, async (received) => handled.add(`${received.subject} ${textOf(received)}`));
    await other.consume(STREAMS.changes, {
      consumer: 'rest',
      subject: `${STREAMS.changes}.4`,
      key: () => '',
      handler: async () => {},
    });
    await append(one, 'a@x', 'not for you', `${STREAMS.changes}.4`);
    await append(one, 'a@x', 'for you');
    expect(await handled.has(1)).toEqual([`${SUBJECT} for you`]);
  });

  onEnds('who takes a partition knows how much of it waits, and since when', makeEnds, async ({ one, other }) => {
    expect(await one.backlogs()).toEqual([]);
    const before = Date.now();
    const begun = signal();
    const held = signal();
    await consume(other, async () => {
      begun.reach();
      await held.reached;
    });
    const place = { stream: STREAMS.changes, subject: SUBJECT };
    await expect.poll(() => other.backlogs()).toEqual([{ ...place, messages: 0, oldestAt: undefined }]);
    const appended = ['1', '2', '3'].map((text) => append(one, 'a@x', text));
    await begun.reached;
    await expect.poll(async () => (await other.backlogs())[0]?.messages).toBe(3);
    const [backlog] = await other.backlogs();
    expect(backlog).toMatchObject(place);
    // A server on another machine has a clock of its own.
    expect(Math.abs((backlog?.oldestAt ?? 0) - before)).toBeLessThan(3_600_000);
    held.reach();
    await Promise.all(appended);
    await expect.poll(() => other.backlogs()).toEqual([{ ...place, messages: 0, oldestAt: undefined }]);
  });

  onEnds('headers and bodies of 7 MiB arrive as they were', makeEnds, async ({ one, other }) => {
    const tree = 'älice@wünder.lit';
    const subject = changesSubject(tree);
    const handled = new Inbox<DurableMessage>();
    await other.consume(STREAMS.changes, {
      consumer: 'suite',
      subject,
      key: () => '',
      handler: async (received) => handled.add(received),
    });
    const headers = { tree, sequence: '7', empty: '' };
    await one.append(STREAMS.changes, subject, {
      headers,
      body: new Uint8Array(7 * 1024 * 1024).fill(9),
      id: `${tree}/7`,
    });
    const [received] = await handled.has(1);
    expect(received?.headers).toEqual(headers);
    expect(received?.body.byteLength).toBe(7 * 1024 * 1024);
    expect(received?.body.every((byte) => byte === 9)).toBe(true);
  });
}

function repeating(makeEnds: MakeEnds): void {
  onEnds(
    'a message whose handler rejects comes again, before its successors, and other keys go on',
    makeEnds,
    async ({ one, other }) => {
      const otherKeyDone = new Inbox<string>();
      const log = new Inbox<string>();
      await consume(other, async (received) => {
        const text = textOf(received);
        if (received.headers['tree'] === 'fine@x') {
          otherKeyDone.add(text);
          return;
        }
        if (text === '2' && otherKeyDone.items.length < 50) {
          throw new Error('not yet');
        }
        log.add(text);
      });
      const blocked = ['1', '2', '3'].map((text) => append(one, 'blocked@x', text));
      const texts = Array.from({ length: 50 }, (_, index) => String(index));
      await Promise.all(texts.map((text) => append(one, 'fine@x', text)));
      expect(await otherKeyDone.has(50)).toEqual(texts);
      expect(await log.has(3)).toEqual(['1', '2', '3']);
      await Promise.all(blocked);
    },
  );

  onEnds('a message that fails several times is handed out until it succeeds', makeEnds, async ({ one, other }) => {
    let attempts = 0;
    const done = signal();
    await consume(other, async () => {
      attempts++;
      if (attempts < 4) {
        throw new Error(`attempt ${attempts}`);
      }
      done.reach();
    });
    await append(one, 'a@x', '1');
    await done.reached;
    expect(attempts).toBe(4);
  });

  onEnds('an id seen before is dropped, whether its message waits or is handled', makeEnds, async ({ one, other }) => {
    const release = signal();
    const handled = new Inbox<string>();
    await consume(other, async (received) => {
      await release.reached;
      handled.add(textOf(received));
    });
    const repeated = [append(one, 'a@x', '1'), append(one, 'a@x', '1'), append(other, 'a@x', '1')];
    release.reach();
    await Promise.all(repeated);
    await handled.has(1);
    await append(one, 'a@x', '1');
    await append(other, 'a@x', '1');
    await append(one, 'a@x', '2');
    expect(await handled.has(2)).toEqual(['1', '2']);
  });
}

function sharing(makeEnds: MakeEnds): void {
  onEnds('of several takers with one name one gets all messages', makeEnds, async ({ one, other }) => {
    const handled = new Inbox<string>();
    const perTaker = new Map<string, number>();
    for (const [name, end] of [
      ['first', one],
      ['second', other],
      ['third', other],
    ] as const) {
      await consume(end, async (received) => {
        perTaker.set(name, (perTaker.get(name) ?? 0) + 1);
        handled.add(textOf(received));
      });
    }
    const texts = Array.from({ length: 100 }, (_, index) => String(index));
    await Promise.all(texts.map((text) => append(one, 'a@x', text)));
    expect(await handled.has(100)).toEqual(texts);
    expect([...perTaker.values()]).toEqual([100]);
  });

  onEnds('another taker goes on where one stopped', makeEnds, async ({ one, other }) => {
    const reachedSecond = signal();
    const handled = new Inbox<string>();
    const first = await consume(one, async (received) => {
      if (textOf(received) === '2') {
        reachedSecond.reach();
        throw new Error('this one cannot');
      }
      handled.add(`first ${textOf(received)}`);
    });
    await consume(other, async (received) => handled.add(`second ${textOf(received)}`));
    const kept = Promise.all(['1', '2', '3', '4'].map((text) => append(one, 'a@x', text)));
    await reachedSecond.reached;
    await first.stop();
    expect(await handled.has(4)).toEqual(['first 1', 'second 2', 'second 3', 'second 4']);
    await kept;
  });

  onEnds('consumers with different names each get all messages', makeEnds, async ({ one, other }) => {
    const inboxes = { notifications: new Inbox<string>(), audit: new Inbox<string>() };
    await consume(other, async (received) => inboxes.notifications.add(textOf(received)), 'notifications');
    await consume(one, async (received) => inboxes.audit.add(textOf(received)), 'audit');
    await Promise.all(['1', '2', '3'].map((text) => append(one, 'a@x', text)));
    expect(await inboxes.notifications.has(3)).toEqual(['1', '2', '3']);
    expect(await inboxes.audit.has(3)).toEqual(['1', '2', '3']);
  });
}
