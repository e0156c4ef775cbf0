import { expect } from 'vitest';
import { BUS_BODY_BYTES, type BusMessage } from '../src/index.ts';
import { Inbox, type MakeEnds, message, onEnds, signal, textOf, within } from './ends.ts';

export function callTests(makeEnds: MakeEnds): void {
  sharing(makeEnds);
  refusing(makeEnds);
  carrying(makeEnds);
}

function sharing(makeEnds: MakeEnds): void {
  onEnds('each call reaches one server of the group once and gets its own answer', makeEnds, async ({ one, other }) => {
    const begun = new Map<string, number>();
    const perServer = [0, 0, 0];
    const serve = (index: number) => async (call: BusMessage) => {
      const id = textOf(call);
      begun.set(id, (begun.get(id) ?? 0) + 1);
      perServer[index] = (perServer[index] ?? 0) + 1;
      for (let turns = Number(id) % 3; turns > 0; turns--) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      return message(`answer to ${id}`, { id });
    };
    await one.serve('suite.shared', serve(0), { concurrency: 2000 });
    await other.serve('suite.shared', serve(1), { concurrency: 2000 });
    await other.serve('suite.shared', serve(2), { concurrency: 2000 });

    const ids = Array.from({ length: 1000 }, (_, index) => String(index));
    const answers = await Promise.all(
      ids.map((id, index) => (index % 2 === 0 ? one : other).request('suite.shared', message(id), within())),
    );

    expect(answers.map(textOf)).toEqual(ids.map((id) => `answer to ${id}`));
    expect(answers.map(({ headers }) => headers['id'])).toEqual(ids);
    expect([...begun.values()]).toEqual(ids.map(() => 1));
    expect(begun.size).toBe(ids.length);
    expect(perServer.every((count) => count > 0)).toBe(true);
  });

  onEnds('calls go to their own subject alone', makeEnds, async ({ one, other }) => {
    for (const subject of ['suite.a', 'suite.a.b', 'suite.ab', 'suite.A']) {
      await other.serve(subject, async () => message(subject), { concurrency: 10 });
    }
    for (const subject of ['suite.a', 'suite.a.b', 'suite.ab', 'suite.A']) {
      expect(textOf(await one.request(subject, message(''), within()))).toBe(subject);
    }
    await expect(one.request('suite', message(''), within())).rejects.toMatchObject({ code: 'no-responders' });
    await expect(one.request('suite.b', message(''), within())).rejects.toMatchObject({ code: 'no-responders' });
  });
}

function refusing(makeEnds: MakeEnds): void {
  onEnds('a call that nobody serves is refused as no-responders', makeEnds, async ({ one, other }) => {
    await expect(one.request('suite.nobody', message(''), within())).rejects.toMatchObject({ code: 'no-responders' });
    const served = await other.serve('suite.nobody', async () => message('here'), { concurrency: 1 });
    expect(textOf(await one.request('suite.nobody', message(''), within()))).toBe('here');
    await served.stop();
    await expect(one.request('suite.nobody', message(''), within())).rejects.toMatchObject({ code: 'no-responders' });
  });

  onEnds('a call past its deadline is rejected while its handler still runs', makeEnds, async ({ one, other }) => {
    const release = signal();
    const serve = async (call: BusMessage) => {
      if (textOf(call) === 'slow') {
        await release.reached;
      }
      return message('done');
    };
    await other.serve('suite.slow', serve, { concurrency: 2 });
    await expect(one.request('suite.slow', message('slow'), within(100))).rejects.toMatchObject({ code: 'deadline' });
    expect(textOf(await one.request('suite.slow', message('fast'), within()))).toBe('done');
    release.reach();
  });

  onEnds('a call is not begun past its deadline', makeEnds, async ({ one, other }) => {
    const begun: string[] = [];
    const serve = async (call: BusMessage) => {
      begun.push(textOf(call));
      return message('done');
    };
    await other.serve('suite.late', serve, { concurrency: 10 });
    const late = { deadline: Date.now() - 1, requestId: 'suite-late' };
    await expect(one.request('suite.late', message('late'), late)).rejects.toMatchObject({ code: 'deadline' });
    await one.request('suite.late', message('in time'), within());
    expect(begun).toEqual(['in time']);
  });

  onEnds('a call over the concurrency is refused at once as overloaded', makeEnds, async ({ one, other }) => {
    const release = signal();
    const begun = new Inbox<string>();
    const serve = async (call: BusMessage) => {
      begun.add(textOf(call));
      await release.reached;
      return message('done');
    };
    await other.serve('suite.busy', serve, { concurrency: 2 });
    const running = [1, 2].map((id) => one.request('suite.busy', message(`call ${id}`), within()));
    await begun.has(2);
    await expect(one.request('suite.busy', message('3'), within())).rejects.toMatchObject({ code: 'overloaded' });
    release.reach();
    expect((await Promise.all(running)).map(textOf)).toEqual(['done', 'done']);
    expect(textOf(await one.request('suite.busy', message('4'), within()))).toBe('done');
    expect(begun.items).not.toContain('3');
  });

  onEnds('a handler that rejects fails its call alone, without its text', makeEnds, async ({ one, other }) => {
    const serve = async (call: BusMessage) => {
      if (textOf(call) === 'bad') {
        throw new Error('a secret');
      }
      return message('good');
    };
    await other.serve('suite.failing', serve, { concurrency: 10 });
    const [bad, good] = await Promise.allSettled([
      one.request('suite.failing', message('bad'), within()),
      one.request('suite.failing', message('good'), within()),
    ]);
    expect(bad).toMatchObject({ reason: { code: 'failed', message: expect.not.stringContaining('a secret') } });
    expect(good).toMatchObject({ status: 'fulfilled' });
  });
}

function carrying(makeEnds: MakeEnds): void {
  const values = {
    empty: '',
    plain: 'a b: c',
    unicode: 'ünïcødé ☃ 𝄞 日本語 \u200dé',
    json: '{"If-Match":"\\"x\\""}',
    'with-dash': '-',
    blanks: '  a \u00a0',
    percent: '%41 100%',
  };

  onEnds(
    'headers of a call and its answer arrive as they were, whatever their alphabet',
    makeEnds,
    async ({ one, other }) => {
      await other.serve('suite.headers', async (call) => ({ headers: call.headers, body: call.body }), {
        concurrency: 1,
      });
      const answer = await one.request('suite.headers', message('', values), within());
      expect(answer.headers).toEqual(values);
      expect(answer.body.byteLength).toBe(0);
    },
  );

  onEnds('a handler is told deadline and request id of its call', makeEnds, async ({ one, other }) => {
    await other.serve(
      'suite.context',
      async (_, { deadline, requestId }) => message('', { deadline: String(deadline), id: requestId }),
      { concurrency: 1 },
    );
    const context = within();
    const answer = await one.request('suite.context', message(''), context);
    expect(answer.headers).toEqual({ deadline: String(context.deadline), id: context.requestId });
  });

  onEnds('bodies of 7 MiB arrive whole, both ways, several at once', makeEnds, async ({ one, other }) => {
    await other.serve('suite.large', async ({ body }) => ({ headers: {}, body }), { concurrency: 10 });
    const bodies = [1, 2, 3].map((seed) => bytes(7 * 1024 * 1024, seed));
    const answers = await Promise.all(
      bodies.map((body) => one.request('suite.large', { headers: {}, body }, within())),
    );
    for (const [index, answer] of answers.entries()) {
      expect(Buffer.compare(answer.body, bodies[index] ?? new Uint8Array())).toBe(0);
    }
  });

  onEnds('a body over the bound is refused as too-large, both ways', makeEnds, async ({ one, other }) => {
    const body = new Uint8Array(BUS_BODY_BYTES + 1);
    const serve = async (call: BusMessage) => (textOf(call) === 'ask' ? { headers: {}, body } : message('small'));
    await other.serve('suite.too-large', serve, { concurrency: 10 });
    const large = { headers: {}, body };
    await expect(one.request('suite.too-large', large, within())).rejects.toMatchObject({ code: 'too-large' });
    await expect(one.request('suite.too-large', message('ask'), within())).rejects.toMatchObject({ code: 'too-large' });
    expect(() => one.publish('suite.too-large', large)).toThrow(expect.objectContaining({ code: 'too-large' }));
    expect(textOf(await one.request('suite.too-large', message('x'), within()))).toBe('small');
  });
}

/** Bytes of every value, in an order that differs by seed. */
function bytes(length: number, seed: number): Uint8Array {
  const filled = new Uint8Array(length);
  for (let index = 0; index < length; index++) {
    filled[index] = (index * 31 + (index >> 8) * seed) & 0xff;
  }
  return filled;
}
