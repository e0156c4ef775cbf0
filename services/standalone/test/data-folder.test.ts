import { stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { StartError } from '@fosp/runtime';
import { temporaryDirectory } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { adminTokenIn, openDataFolder } from '../src/data-folder.ts';

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777;
}

describe('data folder', () => {
  it('is made for its user alone', async () => {
    await using directory = await temporaryDirectory();
    const path = await openDataFolder(join(directory.path, 'deep', 'data'));
    expect(await modeOf(path)).toBe(0o700);
    expect(await openDataFolder(path)).toBe(path);
  });

  it.each(['taken', 'taken/data', '/sys/nowhere/data'])(
    'says in one line what to change where it cannot be %s',
    async (name) => {
      await using directory = await temporaryDirectory();
      await writeFile(join(directory.path, 'taken'), 'a file');
      const opening = openDataFolder(resolve(directory.path, name));
      await expect(opening).rejects.toThrow(StartError);
      await expect(opening).rejects.toThrow(/^the data folder .* cannot be used: .*; FOSP_DATA_DIR names another$/);
    },
  );

  it('keeps one admin token, for its user alone', async () => {
    await using directory = await temporaryDirectory();
    await writeFile(join(directory.path, 'admin-token'), '');
    const token = await adminTokenIn(directory.path);
    expect(token.reveal()).toMatch(/^[\w-]{43}$/);
    expect((await adminTokenIn(directory.path)).reveal()).toBe(token.reveal());
    expect(await modeOf(join(directory.path, 'admin-token'))).toBe(0o600);
  });
});
