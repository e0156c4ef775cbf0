import { Metrics, readEnvironment, StartError } from '@fosp/runtime';
import { describe, expect, it } from 'vitest';
import { ATTACHMENTS_VARIABLES, storeOf } from '../src/config.ts';

const ENDPOINT = { FOSP_S3_ENDPOINT: 'http://127.0.0.1:1' };
const KEY_ID = { FOSP_S3_ACCESS_KEY_ID: 'somebody' };
const SECRET = { FOSP_S3_SECRET_ACCESS_KEY: 'hidden' };
const ANYWHERE = { FOSP_ATTACHMENTS_HOST: '0.0.0.0' };

async function mistakesOf(environment: Record<string, string>): Promise<string> {
  const failed: unknown = await storeOf(readEnvironment(environment, ATTACHMENTS_VARIABLES), new Metrics()).catch(
    (error: unknown) => error,
  );
  return failed instanceof StartError ? failed.message : '';
}

describe('settings of S3', () => {
  it.each<[string, Record<string, string>, RegExp[]]>([
    ['no key id', { ...ENDPOINT, ...SECRET }, [/^FOSP_S3_ACCESS_KEY_ID is not set/]],
    ['no secret', { ...ENDPOINT, ...KEY_ID }, [/^FOSP_S3_SECRET_ACCESS_KEY is not set/]],
    ['neither', ENDPOINT, [/^FOSP_S3_ACCESS_KEY_ID is not set/, /^FOSP_S3_SECRET_ACCESS_KEY is not set/]],
    ['keys to nowhere', { ...KEY_ID, ...SECRET }, [/^FOSP_S3_ENDPOINT is not set/]],
    [
      'an address that is no address',
      { ...ENDPOINT, ...KEY_ID, ...SECRET, ...ANYWHERE },
      [/^FOSP_ATTACHMENTS_ADVERTISED_HOST is not set/],
    ],
    [
      'several at once',
      { ...ENDPOINT, ...SECRET, ...ANYWHERE },
      [/^FOSP_S3_ACCESS_KEY_ID is not set/, /^FOSP_ATTACHMENTS_ADVERTISED_HOST is not set/],
    ],
  ])('with %s are refused, each by its name, and without the secret', async (_what, environment, expected) => {
    const lines = (await mistakesOf(environment)).split('\n');
    expect(lines).toEqual(expected.map((text) => expect.stringMatching(text)));
    expect(lines.join()).not.toContain('hidden');
  });

  it('are enough when complete, and not missed without any of them', async () => {
    const advertised = { ...ANYWHERE, FOSP_ATTACHMENTS_ADVERTISED_HOST: 'files-1' };
    expect(await mistakesOf({ ...ENDPOINT, ...KEY_ID, ...SECRET })).toBe('');
    expect(await mistakesOf({ ...ENDPOINT, ...KEY_ID, ...SECRET, ...advertised })).toBe('');
    expect(await mistakesOf(ANYWHERE)).toBe('');
  });
});
