/** Files of objects: uploads, their replacement, and when bytes may go (PROTOCOL §4, §7). */
import { OBJECTS } from '@fosp/bus';
import { describe, expect, it } from 'vitest';
import { ALICE, BOB, openWorld, QUEEN, type World } from './world.ts';

const HOUR = 3_600_000;

async function claim(world: World, limit = 100): Promise<string[]> {
  const { body } = await world.ask(OBJECTS.claimFiles, { limit: String(limit) });
  const keys: string[] = JSON.parse(body);
  return keys.sort();
}

function forget(world: World, keys: readonly string[]) {
  return world.ask(OBJECTS.forgetFiles, {}, JSON.stringify(keys));
}

describe('F31 F32 F40 WRITE and READ', () => {
  it('F40 sets attachment from the upload, and gives it to who may read it', async () => {
    await using world = await openWorld();
    const id = `${ALICE}/a`;
    const acl = { users: { [BOB]: ['read-data'], [QUEEN]: ['read-data', 'not-read-attachment'] } };
    await world.create(ALICE, id, { data: 1, acl });
    expect(await world.see(ALICE, id)).not.toHaveProperty('attachment');
    world.time.now += 1_000;
    const headers = { 'file-name': 'caf%C3%A9%20%F0%9F%98%80.txt', 'content-type': 'text/plain; charset=utf-8' };
    expect((await world.write(ALICE, id, 'key', { ...headers, size: '12' })).status).toBe(200);
    const attachment = { name: 'café 😀.txt', size: 12, 'mime-type': 'text/plain; charset=utf-8' };
    expect(await world.see(BOB, id)).toMatchObject({ attachment, mtime: '2026-01-01T00:00:01.000Z', data: 1 });
    expect(await world.see(QUEEN, id)).not.toHaveProperty('attachment');
    const { etag } = (await world.select(ALICE, id)).fields;
    expect((await world.openFile(BOB, id)).fields).toEqual({ ...headers, key: 'key', size: '12', etag });
    expect((await world.openFile(QUEEN, id)).status).toBe(403);
    expect((await world.openFile(BOB, id, { 'if-none-match': etag ?? '' })).status).toBe(304);
    expect((await world.openFile(BOB, id, { 'if-match': '"0"' })).status).toBe(412);
  });

  it('F31 replaces the file with all that described it; an empty one is a file too', async () => {
    await using world = await openWorld();
    const id = `${ALICE}/a`;
    await world.create(ALICE, id);
    await world.write(ALICE, id, 'one', { 'file-name': 'one.txt', 'content-type': 'text/plain' });
    await world.write(ALICE, id, 'two', { 'content-type': 'image/png', size: '0' });
    expect(await world.see(ALICE, id)).toMatchObject({ attachment: { size: 0, 'mime-type': 'image/png' } });
    expect((await world.openFile(ALICE, id)).fields).toMatchObject({ key: 'two', size: '0' });
    expect((await world.see(ALICE, id))['attachment']).not.toHaveProperty('name');
  });

  it('F40 UPDATE sets name and type where there is a file, never its size', async () => {
    await using world = await openWorld();
    const id = `${ALICE}/a`;
    await world.create(ALICE, id, { attachment: { name: 'ghost', size: 7 } });
    await world.update(ALICE, id, { attachment: { name: 'ghost' } });
    expect(await world.see(ALICE, id)).not.toHaveProperty('attachment');
    await world.write(ALICE, id, 'key');
    await world.update(ALICE, id, { attachment: { name: 'a: b', type: 'text/plain', size: 7 } });
    expect(await world.see(ALICE, id)).toMatchObject({
      attachment: { name: 'a: b', size: 5, 'mime-type': 'text/plain' },
    });
    expect((await world.openFile(ALICE, id)).fields).toMatchObject({ 'file-name': 'a%3A%20b', key: 'key' });
  });

  it.each([
    ['content-type', 'a: b'],
    ['content-type', 'x'.repeat(300)],
    ['size', '-1'],
    ['size', '1.5'],
  ])('refuses an upload with %s %s', async (header, value) => {
    await using world = await openWorld();
    await world.create(ALICE, `${ALICE}/a`);
    expect((await world.write(ALICE, `${ALICE}/a`, 'key', { [header]: value })).status).toBe(400);
    expect(await world.see(ALICE, `${ALICE}/a`)).not.toHaveProperty('attachment');
  });
});

describe('F41 what is no file any more', () => {
  it('F41 is unreadable at once, and may go when nobody can be reading it', async () => {
    await using world = await openWorld();
    for (const name of ['replaced', 'removed', 'deleted', 'kept']) {
      await world.create(ALICE, `${ALICE}/${name}`);
      await world.write(ALICE, `${ALICE}/${name}`, `key of ${name}`);
    }
    await world.create(ALICE, `${ALICE}/deleted/below`);
    await world.write(ALICE, `${ALICE}/deleted/below`, 'key below');
    await world.write(ALICE, `${ALICE}/replaced`, 'second key');
    await world.update(ALICE, `${ALICE}/removed`, { attachment: null });
    await world.delete(ALICE, `${ALICE}/deleted`);
    expect((await world.openFile(ALICE, `${ALICE}/removed`)).status).toBe(404);
    expect(await claim(world)).toEqual([]);
    world.time.now += HOUR + 1;
    const dead = ['key below', 'key of deleted', 'key of removed', 'key of replaced'];
    expect(await claim(world)).toEqual(dead);
    expect(await claim(world)).toEqual([]);
    await forget(world, dead.slice(1));
    world.time.now += HOUR + 1;
    // Whoever claimed it never came back.
    expect(await claim(world)).toEqual(['key below']);
    await forget(world, ['key below', 'second key']);
    world.time.now += 100 * HOUR;
    expect(await claim(world)).toEqual([]);
    expect((await world.openFile(ALICE, `${ALICE}/replaced`)).fields).toMatchObject({ key: 'second key' });
  });

  it('an upload that never came to its end may go after a day, and is nobody’s file then', async () => {
    await using world = await openWorld();
    const id = `${ALICE}/a`;
    await world.create(ALICE, id);
    const { incarnation = '' } = (await world.beginFile(ALICE, id, 'slow')).fields;
    world.time.now += 24 * HOUR;
    expect(await claim(world)).toEqual([]);
    world.time.now += 1;
    expect(await claim(world, 0)).toEqual([]);
    expect(await claim(world)).toEqual(['slow']);
    expect((await world.commitFile(ALICE, id, { key: 'slow', incarnation })).status).toBe(408);
    expect(await world.see(ALICE, id)).not.toHaveProperty('attachment');
  });
});

describe('F41 bytes whose key has no row', () => {
  async function lost(world: World, keys: readonly string[]): Promise<string[]> {
    return JSON.parse((await world.ask(OBJECTS.lostFiles, {}, JSON.stringify(keys))).body);
  }

  it('are lost once their key was forgotten, and not before', async () => {
    await using world = await openWorld();
    const id = `${ALICE}/a`;
    await world.create(ALICE, id);
    const { key = '', incarnation = '' } = (await world.beginFile(ALICE, id)).fields;
    expect(await lost(world, [key])).toEqual([]);
    await world.commitFile(ALICE, id, { key, incarnation });
    expect(await lost(world, [key])).toEqual([]);
    await world.delete(ALICE, id);
    world.time.now += HOUR + 1;
    expect(await lost(world, [key])).toEqual([]);
    expect(await claim(world)).toEqual([key]);
    expect(await lost(world, [key])).toEqual([]);
    await forget(world, [key]);
    expect(await lost(world, [key])).toEqual([key]);
  });

  it('of another database are none of this one’s business, and the mark stays over a restart', async () => {
    await using world = await openWorld();
    await using other = await openWorld();
    const keys: string[] = [];
    for (const { create, beginFile } of [world, other]) {
      await create(ALICE, `${ALICE}/a`);
      keys.push((await beginFile(ALICE, `${ALICE}/a`)).fields['key'] ?? '');
    }
    const gone = keys.map((key) => `never${key}`);
    expect(await lost(world, [...keys, ...gone])).toEqual([gone[0]]);
    expect(await lost(other, [...keys, ...gone])).toEqual([gone[1]]);
    await world.close();
    await using again = await openWorld({ folder: world.folder });
    expect(await lost(again, [...keys, ...gone])).toEqual([gone[0]]);
  });
});

describe('uploads and what happens meanwhile', () => {
  it('are judged again at their end', async () => {
    await using world = await openWorld();
    const id = `${ALICE}/a`;
    await world.create(ALICE, id, { acl: { users: { [BOB]: ['write-attachment', 'read-data'] } } });
    const { incarnation = '' } = (await world.beginFile(BOB, id, 'key')).fields;
    await world.update(ALICE, id, { acl: { users: { [BOB]: ['read-data'] } } });
    expect((await world.commitFile(BOB, id, { key: 'key', incarnation })).status).toBe(403);
    await world.update(ALICE, id, { acl: { users: { [BOB]: null } } });
    expect((await world.commitFile(BOB, id, { key: 'key', incarnation })).status).toBe(403);
  });

  it('never become the file of a later object of the same name', async () => {
    await using world = await openWorld();
    const id = `${ALICE}/a`;
    await world.create(ALICE, id);
    const { incarnation = '' } = (await world.beginFile(ALICE, id, 'key')).fields;
    await world.delete(ALICE, id);
    expect((await world.commitFile(ALICE, id, { key: 'key', incarnation })).status).toBe(404);
    await world.create(ALICE, id);
    const late = await world.commitFile(ALICE, id, { key: 'key', incarnation });
    expect(late).toMatchObject({ status: 404, message: expect.stringContaining('was deleted') });
    const { incarnation: other = '' } = (await world.beginFile(ALICE, id, 'other')).fields;
    expect((await world.commitFile(ALICE, id, { key: 'key', incarnation: other })).status).toBe(408);
    expect(await world.see(ALICE, id)).not.toHaveProperty('attachment');
  });

  it('become a file once', async () => {
    await using world = await openWorld();
    for (const name of ['a', 'b']) {
      await world.create(ALICE, `${ALICE}/${name}`);
    }
    const { incarnation = '' } = (await world.beginFile(ALICE, `${ALICE}/a`, 'key')).fields;
    const upload = { key: 'key', incarnation };
    expect((await world.commitFile(ALICE, `${ALICE}/b`, upload)).status).toBe(404);
    expect((await world.commitFile(ALICE, `${ALICE}/a`, upload)).status).toBe(200);
    expect((await world.commitFile(ALICE, `${ALICE}/a`, upload)).status).toBe(408);
    expect((await world.commitFile(ALICE, `${ALICE}/a`, { key: 'unknown', incarnation })).status).toBe(408);
  });

  it('with If-Match replace only what was seen', async () => {
    await using world = await openWorld();
    const id = `${ALICE}/a`;
    const tag = (await world.create(ALICE, id)).fields['etag'] ?? '';
    const { incarnation = '' } = (await world.beginFile(ALICE, id, 'key', { 'if-match': tag })).fields;
    await world.update(ALICE, id, { data: 1 });
    const upload = { key: 'key', incarnation, 'if-match': tag };
    expect((await world.commitFile(ALICE, id, upload)).status).toBe(412);
  });
});
