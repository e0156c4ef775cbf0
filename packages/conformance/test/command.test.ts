import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { main, readUsers } from '../src/command.ts';
import { greeting, startScripted } from './scripted-server.ts';

async function command(...argv: string[]): Promise<{ code: number; output: string }> {
  let output = '';
  const code = await main(argv, (text) => {
    output += text;
  });
  return { code, output };
}

const USAGE: readonly [string, string[], number, string][] = [
  ['--help', ['--help'], 0, 'Usage'],
  ['--list', ['--list', '--only', '^etag$'], 0, '1 cases'],
  ['nothing', [], 2, 'A url and a domain are needed'],
  ['no domain', ['ws://127.0.0.1:1'], 2, 'A url and a domain are needed'],
  ['another scheme', ['http://127.0.0.1:1', 'x.lit'], 2, 'does not begin with ws'],
  ['an unknown option', ['--fast'], 2, '--fast'],
  ['a peer without a domain', ['ws://127.0.0.1:1', 'x.lit', '--peer', 'ws://127.0.0.1:2'], 2, '--peer is domain=url'],
  ['a port without a domain', ['ws://127.0.0.1:1', 'x.lit', '--listen', '1'], 2, '--listen needs the domain'],
  ['a peer by http', ['ws://127.0.0.1:1', 'x.lit', '--peer', 'y.lit=http://127.0.0.1:2'], 2, 'does not begin with ws'],
  ['a bad number', ['ws://127.0.0.1:1', 'x.lit', '--jobs', '0'], 2, '--jobs'],
  ['no case', ['ws://127.0.0.1:1', 'x.lit', '--only', 'no such case'], 2, 'No case'],
  ['no server', ['ws://127.0.0.1:1', 'x.lit', '--only', '^etag$'], 1, '1 failed'],
];

it.each(USAGE)('answers %s', async (_, argv, code, text) => {
  const result = await command(...argv);
  expect(result.output).toContain(text);
  expect(result.code).toBe(code);
});

it('writes results as JSON', async () => {
  await using server = await startScripted((message) => greeting(message) ?? []);
  const { code, output } = await command(server.url, 'x.lit', '--only', '^etag$', '--json');
  expect(code).toBe(0);
  expect(JSON.parse(output)).toMatchObject([{ id: 'etag', section: '10', outcome: 'skipped' }]);
});

it('reads accounts from JSON, and from files of JSON or of lines', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'conformance-'));
  const file = join(folder, 'users');
  try {
    expect(await readUsers('{"alice":"a:b"}')).toEqual({ alice: 'a:b' });
    for (const text of ['{"alice":"a:b"}', '# accounts\nalice:a:b\n\n']) {
      await writeFile(file, text);
      expect(await readUsers(file)).toEqual({ alice: 'a:b' });
    }
    await writeFile(file, 'alice');
    await expect(readUsers(file)).rejects.toThrow('name:password');
    await expect(readUsers('{"alice":1}')).rejects.toThrow('alice');
  } finally {
    await rm(folder, { recursive: true });
  }
});
