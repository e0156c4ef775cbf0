/** The chaos campaign is worth what its model notices: each kind of mistake, played to it here, must be noticed. */
import { describe, expect, it } from 'vitest';
import { type Contents, dataOf, type FileMark, fileBytes, fileMarkOf, fileName } from '../../src/chaos/content.ts';
import { Counter } from '../../src/chaos/counter.ts';
import { recoveryOf } from '../../src/chaos/recovery.ts';
import { Slot } from '../../src/chaos/slot.ts';
import { Window } from '../../src/chaos/window.ts';

const TREE = 'chaos-0@wonderland.lit';
const LISTENER = 'chaos-1@wonderland.lit';
const subscribers = new Set([LISTENER]);

function newSlot(name = 'slot'): Slot {
  return new Slot({ resource: `${TREE}/${name}`, tree: TREE, subscribers });
}

/** As the server would show it. */
function textOf({ data, file }: Contents): string {
  const attachment = file === undefined ? {} : { attachment: { name: fileName(file), size: file.size } };
  return JSON.stringify({ data: dataOf(data), ...attachment });
}

/** Steps of a slot that were acknowledged, asked for at `at`, `at + 10` and so on, and done 5 later. */
function change(slot: Slot, at: number, kinds: readonly ('CREATE' | 'UPDATE' | 'DELETE')[]): string[] {
  return kinds.map((kind, number) => {
    const attempt = slot.begin(kind, slot.nextMark(`n${slot.step}`), at + 10 * number);
    slot.happened(attempt, at + 10 * number + 5);
    return attempt.leaves === undefined ? '' : textOf(attempt.leaves);
  });
}

describe('a slot', () => {
  it('is what was acknowledged last, and nothing else', () => {
    const slot = newSlot();
    const [first = '', second = ''] = change(slot, 0, ['CREATE', 'UPDATE']);
    expect(slot.seen(second, '"2"', 30)).toBeUndefined();
    expect(slot.seen(first, '"1"', 31)).toContain('must be step 2');
    expect(slot.seen(undefined, undefined, 32)).toContain('is no object');
  });

  it('is either, where the outcome of a change is unknown, until it was seen', () => {
    const slot = newSlot();
    const [before = ''] = change(slot, 0, ['CREATE']);
    const attempt = slot.begin('UPDATE', slot.nextMark('later'), 10);
    slot.becameUnknown(attempt, 20);
    expect(slot.seen(before, '"1"', 30)).toBeUndefined();
    expect(slot.isSettled).toBe(false);
    expect(slot.seen(textOf({ data: { step: 2, nonce: 'later' }, file: undefined }), '"2"', 40)).toBeUndefined();
    expect(slot.isSettled).toBe(true);
    expect(slot.seen(before, '"1"', 50)).toContain('must be step 2');
  });

  it('is nothing that nobody asked for', () => {
    const slot = newSlot();
    change(slot, 0, ['CREATE']);
    expect(slot.seen(textOf({ data: { step: 2, nonce: 'x' }, file: undefined }), '"2"', 30)).toContain(
      'must be step 1',
    );
    expect(slot.seen('{"data":{"step":1,"nonce":"n0","filler":"else"}}', '"1"', 30)).toContain('nobody wrote');
  });

  it('is shown to others no older than it was when they began to read', () => {
    const slot = newSlot();
    const old = slot.position;
    change(slot, 0, ['CREATE']);
    const first = slot.certain;
    const since = slot.position;
    expect(slot.couldShow(undefined, old)).toBeUndefined();
    change(slot, 20, ['UPDATE']);
    expect(slot.couldShow(first, since)).toBeUndefined();
    expect(slot.couldShow(first, slot.position)).toContain('at step 2');
    expect(slot.couldShow(undefined, since)).toContain('at step 1');
  });

  it('takes its child along', () => {
    const slot = newSlot();
    slot.child = new Slot({ resource: `${slot.resource}/child`, tree: TREE, subscribers, parent: slot });
    change(slot, 0, ['CREATE']);
    const [child = ''] = change(slot.child, 20, ['CREATE']);
    change(slot, 40, ['DELETE']);
    expect(slot.child.seen(child, '"2"', 60)).toContain('must be no object');
    expect(slot.child.track.last).toBe(2);
  });
});

it('knows every byte of a file', () => {
  const mark: FileMark = { step: 3, nonce: 'abc', size: 5_000_000 };
  expect(fileMarkOf(fileName(mark))).toEqual(mark);
  const bytes = Buffer.from(fileBytes(mark));
  expect(bytes.length).toBe(mark.size);
  expect(bytes.equals(fileBytes({ ...mark, nonce: 'abd' }))).toBe(false);
  expect(bytes.subarray(100, 1000).equals(Buffer.from(fileBytes({ ...mark, nonce: 'abd' })).subarray(100, 1000))).toBe(
    false,
  );
});

it('lets one alone do each step of a counter', () => {
  const counter = new Counter({ resource: `${TREE}/counter`, tree: TREE, subscribers });
  counter.created({ step: 1, nonce: 'a' }, 0);
  counter.begin({ step: 2, nonce: 'b' }, 10);
  counter.begin({ step: 2, nonce: 'c' }, 11);
  expect(counter.acknowledged(2, 20)).toBeUndefined();
  expect(counter.acknowledged(2, 21)).toContain('acknowledged twice');
  const old = textOf({ data: { step: 1, nonce: 'a' }, file: undefined });
  expect(counter.seen(old, { since: 1, etag: '"1"', now: 30 })).toBeUndefined();
  expect(counter.seen(old, { since: 2, etag: '"1"', now: 30 })).toContain('after step 2');
});

describe('a connection that listens', () => {
  /** Plays these steps of a slot to it, by number; logged in at `since`. Gives what was found wrong in the end. */
  function play(kinds: readonly ('CREATE' | 'UPDATE' | 'DELETE')[], told: readonly number[], since = 0): string[] {
    const wrong: string[] = [];
    const slot = newSlot();
    const texts = change(slot, 10, kinds);
    const window = new Window(LISTENER, (text) => wrong.push(text));
    window.since = since;
    for (const step of told) {
      const text = texts[step - 1] ?? '';
      const event = text === '' ? 'DELETED' : 'UPDATED';
      window.told({ event, track: slot.track, text: text === '' ? undefined : text, at: 1000 });
    }
    window.check(60_000);
    return [...wrong, ...window.missing([slot.track])];
  }

  it('is told every change once, in order', () => {
    expect(play(['CREATE', 'UPDATE', 'UPDATE'], [1, 2, 3])).toEqual([]);
    expect(play(['CREATE', 'UPDATE', 'DELETE', 'CREATE'], [1, 2, 3, 4])).toEqual([]);
    expect(play(['CREATE', 'UPDATE', 'UPDATE'], [1, 2])).toEqual([expect.stringContaining('there were 3')]);
    expect(play(['CREATE', 'UPDATE', 'UPDATE'], [1, 3])).toEqual([expect.stringContaining('not 2 before it')]);
    expect(play(['CREATE', 'UPDATE', 'UPDATE'], [2, 3])).toEqual([expect.stringContaining('not 1 before it')]);
    expect(play(['CREATE', 'UPDATE', 'UPDATE'], [1, 2, 2, 3])).toEqual([expect.stringContaining('after step 2')]);
    expect(play(['CREATE', 'UPDATE', 'UPDATE'], [1, 3, 2])[0]).toContain('step 2');
    expect(play(['CREATE', 'DELETE'], [1])).toEqual([expect.stringContaining('there were 2')]);
  });

  it('need not be told what was asked for before it was logged in', () => {
    expect(play(['CREATE', 'UPDATE', 'DELETE', 'CREATE'], [], 100)).toEqual([]);
    expect(play(['CREATE', 'UPDATE', 'DELETE', 'CREATE'], [3, 4], 25)).toEqual([]);
    expect(play(['CREATE', 'UPDATE', 'DELETE'], [3], 25)).toEqual([]);
    expect(play(['CREATE', 'UPDATE', 'DELETE'], [], 25)).toEqual([expect.stringContaining('there were 3')]);
    expect(play(['CREATE', 'UPDATE', 'DELETE', 'CREATE', 'UPDATE'], [3, 5], 25)).toHaveLength(1);
  });

  it('may miss something where it is closed soon after', () => {
    const wrong: string[] = [];
    const slot = newSlot();
    const [first = '', , third = ''] = change(slot, 10, ['CREATE', 'UPDATE', 'UPDATE']);
    const window = new Window(LISTENER, (text) => wrong.push(text));
    window.since = 0;
    window.told({ event: 'CREATED', track: slot.track, text: first, at: 1000 });
    window.told({ event: 'UPDATED', track: slot.track, text: third, at: 1100 });
    window.closed(2000);
    expect(wrong).toEqual([]);
    expect(window.gapsTold).toBe(1);
  });

  it('is told nothing of a tree after what was asked for when that was done', () => {
    const wrong: string[] = [];
    const [early, late] = [newSlot('early'), newSlot('late')];
    const [first = ''] = change(early, 10, ['CREATE']);
    const [second = ''] = change(late, 100, ['CREATE']);
    const window = new Window(LISTENER, (text) => wrong.push(text));
    window.since = 0;
    window.told({ event: 'CREATED', track: late.track, text: second, at: 1000 });
    window.told({ event: 'CREATED', track: early.track, text: first, at: 1001 });
    expect(wrong).toEqual([expect.stringContaining('done by 15, after what was asked for at 100')]);
  });

  it('is told the changes of a tree in the order of their versions', () => {
    const wrong: string[] = [];
    const [one, other] = [newSlot('one'), newSlot('other')];
    const [first = ''] = change(one, 10, ['CREATE']);
    const [second = ''] = change(other, 10, ['CREATE']);
    one.seen(first, '"8"', 20);
    other.seen(second, '"7"', 20);
    const window = new Window(LISTENER, (text) => wrong.push(text));
    window.since = 0;
    window.told({ event: 'CREATED', track: one.track, text: first, at: 1000 });
    window.told({ event: 'CREATED', track: other.track, text: second, at: 1001 });
    window.check(1002);
    expect(wrong).toEqual([expect.stringContaining('version 7')]);
  });

  it('is told nothing that it did not subscribe to', () => {
    const wrong: string[] = [];
    const slot = newSlot();
    const [text = ''] = change(slot, 10, ['CREATE']);
    const stranger = new Window('chaos-2@wonderland.lit', (problem) => wrong.push(problem));
    stranger.told({ event: 'CREATED', track: slot.track, text, at: 1000 });
    expect(wrong).toEqual([expect.stringContaining('without having subscribed')]);
  });
});

it('takes service for full once everything goes well at once', () => {
  const sample = (kind: 'SELECT' | 'WRITE', since: number, until: number, trouble?: string) =>
    ({ kind, via: 'fresh', since, until, trouble }) as const;
  const samples = [sample('SELECT', 50, 9_000, 'late'), sample('SELECT', 110, 120), sample('WRITE', 200, 4_200)];
  expect(recoveryOf(samples, 100)).toMatchObject({ after: 4_100, last: 'fresh WRITE', isOver: true });
  expect(recoveryOf([...samples, sample('SELECT', 300, 310, '503')], 100)).toMatchObject({ isOver: false });
});
