import { expect } from 'vitest';
import { Inbox, type MakeEnds, message, onEnds, textOf } from './ends.ts';

export function publicationTests(makeEnds: MakeEnds): void {
  onEnds('publications of a subject arrive in order, once, at each listener', makeEnds, async ({ one, other }) => {
    const inboxes = [new Inbox<string>(), new Inbox<string>(), new Inbox<string>()];
    for (const [index, inbox] of inboxes.entries()) {
      await (index === 0 ? one : other).subscribe('suite.order', (received) => inbox.add(textOf(received)));
    }
    const texts = Array.from({ length: 3000 }, (_, index) => String(index));
    for (const [index, text] of texts.entries()) {
      one.publish('suite.order', message(text));
      one.publish(`suite.noise.${index % 7}`, message(text));
    }
    for (const inbox of inboxes) {
      expect(await inbox.has(texts.length)).toEqual(texts);
    }
  });

  onEnds('what is flushed is on its way to whoever listens', makeEnds, async ({ one, other }) => {
    const inbox = new Inbox<string>();
    await other.subscribe('suite.flushed', (received) => inbox.add(textOf(received)));
    const texts = Array.from({ length: 1000 }, (_, index) => String(index));
    for (const text of texts) {
      one.publish('suite.flushed', message(text));
    }
    await one.flushed();
    // What the listener's end has asked for since comes behind it.
    await other.flushed();
    expect(inbox.items).toEqual(texts);
    await one.drain();
    await expect(one.flushed()).rejects.toMatchObject({ code: 'closed' });
  });

  onEnds(
    'what is published from within a listener comes after what was published before',
    makeEnds,
    async ({ one }) => {
      const inbox = new Inbox<string>();
      await one.subscribe('suite.nested', (received) => {
        const text = textOf(received);
        if (text === 'a') {
          one.publish('suite.nested', message('c'));
        }
        inbox.add(text);
      });
      one.publish('suite.nested', message('a'));
      one.publish('suite.nested', message('b'));
      expect(await inbox.has(3)).toEqual(['a', 'b', 'c']);
    },
  );

  onEnds('nothing that is published after subscribe resolved is missed', makeEnds, async ({ one, other }) => {
    const subjects = Array.from({ length: 200 }, (_, index) => `suite.user.${index}`);
    const inbox = new Inbox<string>();
    await Promise.all(
      subjects.map(async (subject) => {
        await one.subscribe(subject, (received, from) => inbox.add(`${from} ${textOf(received)}`));
        other.publish(subject, message('hello'));
      }),
    );
    const received = await inbox.has(subjects.length);
    expect([...received].sort()).toEqual(subjects.map((subject) => `${subject} hello`).sort());
  });

  onEnds('a listener hears its own subject alone', makeEnds, async ({ one, other }) => {
    const inbox = new Inbox<string>();
    await one.subscribe('suite.talk.a', (received, from) => inbox.add(`${from} ${textOf(received)}`));
    for (const subject of ['suite.talk', 'suite.talk.b', 'suite.talk.aa', 'suite.talk.a.a', 'suite.talk.A']) {
      other.publish(subject, message('not for you'));
    }
    other.publish('suite.talk.a', message('for you', { name: 'ü' }));
    expect(await inbox.has(1)).toEqual(['suite.talk.a for you']);
  });

  onEnds('a listener that stopped hears nothing more, the others go on', makeEnds, async ({ one, other }) => {
    const stopped = new Inbox<string>();
    const going = new Inbox<string>();
    const subscription = await one.subscribe('suite.stop', (received) => stopped.add(textOf(received)));
    await one.subscribe('suite.stop', (received) => going.add(textOf(received)));
    other.publish('suite.stop', message('before'));
    await stopped.has(1);
    await subscription.stop();
    other.publish('suite.stop', message('after'));
    expect(await going.has(2)).toEqual(['before', 'after']);
    expect(stopped.items).toEqual(['before']);
  });

  onEnds('headers and large bodies of publications arrive as they were', makeEnds, async ({ one, other }) => {
    const inbox = new Inbox<string>();
    const headers = { tree: 'älice@wünder.lit', sequence: '12', empty: '' };
    await one.subscribe('suite.whole', (received) =>
      inbox.add(`${JSON.stringify(received.headers)} ${received.body.length}`),
    );
    other.publish('suite.whole', { headers, body: new Uint8Array(7 * 1024 * 1024).fill(7) });
    expect(await inbox.has(1)).toEqual([`${JSON.stringify(headers)} ${7 * 1024 * 1024}`]);
  });

  onEnds('a publication that nobody listens to is no error', makeEnds, async ({ one }) => {
    expect(() => one.publish('suite.nobody', message(''))).not.toThrow();
  });
}
