import { type FospError, fospError } from '@fosp/protocol';
import { describe, expect, it } from 'vitest';
import { persistently, reasonToSkip } from '../src/trouble.ts';

function fileError(code: string): Error {
  return Object.assign(new Error(`${code}: no`), { code });
}

describe('trouble with one file of many', () => {
  it.each([
    ['a name that the server refuses', fospError('malformed', 'bad name'), 'bad name (400)'],
    ['no right there', fospError('forbidden', 'no right'), 'no right (403)'],
    ['an object that vanished', fospError('not-found', 'gone'), 'gone (404)'],
    ['a file over the limit', fospError('too-large', 'large'), 'large (413)'],
    ['a file that may not be read', fileError('EACCES'), 'EACCES: no'],
    ['a file that vanished', fileError('ENOENT'), 'ENOENT: no'],
    ['a link in the place of a file', fileError('ELOOP'), 'ELOOP: no'],
    ['a path too long', fileError('ENAMETOOLONG'), 'ENAMETOOLONG: no'],
    ['a full disk', fileError('ENOSPC'), undefined],
    ['a broken disk', fileError('EIO'), undefined],
    ['a server that failed', fospError('internal', 'oh'), undefined],
    ['a login that ended', fospError('unauthenticated', 'oh'), undefined],
    ['a defect', new TypeError('oh'), undefined],
  ])('%s', (_, error, reason) => {
    expect(reasonToSkip(error)).toBe(reason);
  });
});

describe('what may be done twice', () => {
  const now = { headers: { 'Retry-After': '0' } };

  it.each([
    ['a lost connection', fospError('unreachable', 'lost')],
    ['an object that somebody else made first', fospError('exists', 'there')],
    ['a server that asks for time', fospError('unavailable', 'later', now)],
    ['a server that was asked too much', fospError('too-many', 'slowly', now)],
  ])('is done again after %s, which it is told, and not for ever', async (_, error) => {
    const told: boolean[] = [];
    const failing = async (repeated: boolean, times: number): Promise<void> => {
      told.push(repeated);
      if (told.length <= times) {
        throw error;
      }
    };
    await persistently((repeated) => failing(repeated, 2));
    expect(told).toEqual([false, true, true]);
    told.length = 0;
    await expect(persistently((repeated) => failing(repeated, 100))).rejects.toBe(error);
    expect(told).toHaveLength(5);
  });

  it.each<FospError | Error>([fospError('forbidden', 'no'), new Error('a defect')])(
    'is not done again after %s',
    async (error) => {
      let count = 0;
      const work = persistently(() => {
        count++;
        return Promise.reject(error);
      });
      await expect(work).rejects.toBe(error);
      expect(count).toBe(1);
    },
  );
});
