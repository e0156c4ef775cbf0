/** Files and groups in two processes over one database: what may happen at once, and must come out as if one had come first. */
import { OBJECTS } from '@fosp/bus';
import { postgresInstalled } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { positionOf, type RoundOfTwo, race, roundsOfTwo } from './pods.ts';
import { postgresForTests } from './postgres.ts';
import { ALICE, BOB, type World } from './world.ts';

const WEEK = 7 * 24 * 60 * 60 * 1000;

describe.skipIf(!postgresInstalled())('two processes', () => {
  const postgres = postgresForTests();
  const rounds = (run: RoundOfTwo) => roundsOfTwo(postgres, run);

  async function begin(pod: World, id: string, key = `key of ${id}`) {
    const { incarnation = '' } = (await pod.beginFile(ALICE, id, key)).fields;
    return { key, incarnation };
  }

  it('F29 F40 creation anew against a running WRITE: the new object has no file', async () => {
    const endings = await rounds(async (a, b, round) => {
      const id = `${ALICE}/a${round}`;
      await a.create(ALICE, id);
      const upload = await begin(b, id);
      const again = async () => [await b.delete(ALICE, id), await b.create(ALICE, id)];
      const [committed, made] = await race(round, () => a.commitFile(ALICE, id, upload), again);
      expect(made.map(({ status }) => status)).toEqual([200, 200]);
      for (const pod of [a, b]) {
        expect(await pod.see(ALICE, id)).not.toHaveProperty('attachment');
        expect((await pod.openFile(ALICE, id)).status).toBe(404);
      }
      return String(committed.status);
    });
    expect([...endings].sort()).toEqual(['200', '404']);
  });

  it('F41 a slow upload against the sweeper: what is claimed is nobody’s, what is committed is kept', async () => {
    const endings = await rounds(async (a, b, round) => {
      const id = `${ALICE}/a${round}`;
      await a.create(ALICE, id);
      const upload = await begin(a, id);
      // For this process the upload has taken too long; the other is about to commit it.
      b.time.now = a.time.now + WEEK;
      const claim = async (): Promise<string[]> => JSON.parse((await b.ask(OBJECTS.claimFiles, { limit: '9' })).body);
      const [committed, claimed] = await race(round, () => a.commitFile(ALICE, id, upload), claim);
      b.time.now = a.time.now;
      expect(claimed).toEqual(committed.status === 200 ? [] : [upload.key]);
      expect(await b.openFile(ALICE, id)).toMatchObject(
        committed.status === 200 ? { status: 200, fields: { key: upload.key } } : { status: 404 },
      );
      return String(committed.status);
    });
    expect([...endings].sort()).toEqual(['200', '408']);
  });

  it('F31 two WRITEs at once: one file is the object’s, the other is dead', async () => {
    const endings = await rounds(async (a, b, round) => {
      const id = `${ALICE}/a${round}`;
      await a.create(ALICE, id);
      const uploads = [await begin(a, id, `one of ${id}`), await begin(b, id, `other of ${id}`)] as const;
      const commits = [() => a.commitFile(ALICE, id, uploads[0]), () => b.commitFile(ALICE, id, uploads[1])] as const;
      const outcomes = await race(round, ...commits);
      expect(outcomes.map(({ status }) => status)).toEqual([200, 200]);
      const kept = (await a.openFile(ALICE, id)).fields['key'];
      const later = a.time.now + WEEK;
      const dead = await a.store.files.claim({ limit: 9, now: later, deadBefore: later, pendingBefore: 0 });
      await a.store.files.forget(dead);
      expect([kept, ...dead].sort()).toEqual(uploads.map(({ key }) => key).sort());
      return kept === uploads[0].key ? 'the first' : 'the second';
    });
    expect(endings.size).toBe(2);
  });

  it('F42 taking somebody out of a group against their UPDATE: what came after it is refused', async () => {
    const endings = await rounds(async (a, b, round) => {
      const id = `${ALICE}/a${round}`;
      const groups = `${ALICE}/config/groups`;
      await a.create(ALICE, id, { data: 0, acl: { groups: { friends: ['write-data', 'read-data'] } } });
      await a.update(ALICE, groups, { data: { friends: [BOB] } });
      const expel = () => a.update(ALICE, groups, { data: { friends: null } });
      const [expelled, updated] = await race(round, expel, () => b.update(BOB, id, { data: 1 }));
      expect(expelled.status).toBe(200);
      expect((await a.see(ALICE, id))['data']).toBe(updated.status === 200 ? 1 : 0);
      if (updated.status === 200) {
        expect(positionOf(updated)).toBeLessThan(positionOf(expelled));
      }
      for (const pod of [a, b]) {
        expect((await pod.update(BOB, id, { data: 2 })).status).toBe(403);
      }
      return String(updated.status);
    });
    expect([...endings].sort()).toEqual(['200', '403']);
  });
});
