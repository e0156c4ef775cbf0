/** The command line, each command as a process of its own against a whole server. */
import { randomBytes } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ALICE, BOB, PASSWORD } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { Cli, COMMAND } from '../src/cli.ts';
import { Home } from '../src/home.ts';

/** A server, and alice with a login file of hers, not registered yet. */
async function begin(): Promise<{ home: Home; alice: Cli; path: (name: string) => string }> {
  const home = await Home.start();
  const path = (name: string): string => join(home.directory.path, name);
  return { home, alice: new Cli(home.url, path('alice.json')), path };
}

const FAILED = 1;
const USAGE = 2;

describe('fosp on accounts', () => {
  it('F16 F19 F22 F24 registers, logs in and out, and keeps the login for its owner alone', async () => {
    const { home, alice, path } = await begin();
    await using _home = home;
    expect(await alice.succeed('register', 'alice')).toContain(`Your tree is ${ALICE}/`);
    expect(statSync(path('alice.json')).mode & 0o777).toBe(0o600);
    expect(readFileSync(path('alice.json'), 'utf8')).not.toContain(PASSWORD);
    const noPassword = alice.with({ FOSP_PASSWORD: undefined });
    expect(JSON.parse(await noPassword.succeed('whoami', '--json'))).toEqual({ user: ALICE, url: home.url });
    await noPassword.succeed('logout');
    expect(await noPassword.run('whoami')).toMatchObject({
      code: USAGE,
      stderr: expect.stringContaining(`run: fosp login NAME --url ${home.url}`),
    });
    expect(await alice.with({ FOSP_PASSWORD: 'wrong' }).run('login', 'alice')).toMatchObject({ code: FAILED });
    expect(await alice.run('register', 'alice')).toMatchObject({
      code: FAILED,
      stderr: expect.stringContaining('409'),
    });
    await alice.succeed('login', 'Alice@Wonderland.LIT');
    expect(await noPassword.succeed('whoami')).toContain(ALICE);
    expect(await noPassword.with({ FOSP_URL: 'ws://localhost:1' }).run('whoami')).toMatchObject({
      code: USAGE,
      stderr: expect.stringContaining(`but as ${ALICE} at ${home.url}`),
    });
    expect(await noPassword.with({ FOSP_URL: undefined }).succeed('whoami')).toContain(home.url);
    const elsewhere = alice.with({ FOSP_SESSION_FILE: path('none.json'), FOSP_USER: 'alice' });
    expect(await elsewhere.succeed('whoami')).toContain(ALICE);
    expect(await elsewhere.with({ FOSP_PASSWORD: undefined }).run('whoami')).toMatchObject({ code: USAGE });
    writeFileSync(path('alice.json'), '{"url":1}');
    expect(await alice.run('whoami')).toMatchObject({ code: FAILED, stderr: expect.stringContaining('is damaged') });
  });

  it('F22 takes passwords as lines of its standard input, and changes them', async () => {
    const { home, alice } = await begin();
    await using _home = home;
    const typing = alice.with({ FOSP_PASSWORD: undefined });
    expect(await typing.feed('first secret\n', 'register', 'alice')).toMatchObject({ code: 0 });
    expect(await typing.feed('', 'login', 'alice')).toMatchObject({
      code: USAGE,
      stderr: expect.stringContaining('set FOSP_PASSWORD'),
    });
    expect(await typing.feed('wrong\nsecond secret\n', 'passwd')).toMatchObject({ code: FAILED });
    expect(await typing.feed('first secret\nsecond secret\n', 'passwd')).toMatchObject({ code: 0 });
    expect(await typing.succeed('whoami')).toContain(ALICE);
    expect(await typing.feed('first secret\n', 'login', 'alice')).toMatchObject({ code: FAILED });
    expect(await typing.feed('second secret', 'login', 'alice')).toMatchObject({ code: 0 });
  });

  it('F22 does not show passwords that are typed on a terminal, and asks twice for new ones', async () => {
    const { home, alice } = await begin();
    await using _home = home;
    const typing = alice.with({ FOSP_PASSWORD: undefined });
    const first = ['New password for alice: ', 'hidden rabbit'] as const;
    const different = await typing.onTerminal('register alice', [first, ['again: ', 'hidden hatter']]);
    expect(different).toContain('not the same');
    const registered = await typing.onTerminal('register alice', [first, ['again: ', 'hidden rabbit']]);
    expect(registered).toContain('Registered and logged in');
    expect(different + registered).not.toContain('hidden');
    expect(await typing.succeed('whoami')).toContain(ALICE);
  });

  it('F20 F21 adds, changes, disables and removes accounts through the admin port', async () => {
    const { home, alice } = await begin();
    await using _home = home;
    const admin = (...args: readonly string[]) =>
      alice.run('admin', 'user', ...args, '--admin-url', home.server.admin, '--data-dir', home.data);
    expect(await admin('add', 'alice', '--json')).toMatchObject({
      code: 0,
      stdout: '{"user":"alice","action":"add"}\n',
    });
    expect(await admin('add', 'alice')).toMatchObject({ code: FAILED, stderr: expect.stringContaining('409') });
    await alice.succeed('login', 'alice');
    expect(await admin('disable', 'alice')).toMatchObject({ code: 0 });
    expect(await alice.run('whoami')).toMatchObject({
      code: FAILED,
      stderr: expect.stringContaining('fosp login NAME'),
    });
    expect(await alice.run('login', 'alice')).toMatchObject({ code: FAILED });
    expect(await admin('enable', 'alice')).toMatchObject({ code: 0 });
    await alice.succeed('login', 'alice');
    const changed = alice.with({ FOSP_NEW_PASSWORD: 'another one' });
    expect(
      await changed.run('admin', 'user', 'passwd', 'alice', '--admin-url', home.server.admin, '--data-dir', home.data),
    ).toMatchObject({ code: 0 });
    expect(await alice.run('login', 'alice')).toMatchObject({ code: FAILED });
    await alice.with({ FOSP_PASSWORD: 'another one' }).succeed('login', 'alice');
    expect(await admin('rm', 'alice')).toMatchObject({ code: 0 });
    expect(await admin('rm', 'alice')).toMatchObject({ code: FAILED, stderr: expect.stringContaining('404') });
    expect(await alice.run('admin', 'user', 'add', 'bob', '--data-dir', '/nowhere')).toMatchObject({
      code: USAGE,
      stderr: expect.stringContaining('set FOSP_ADMIN_TOKEN'),
    });
    expect(
      await alice
        .with({ FOSP_ADMIN_TOKEN: 'x' })
        .run('admin', 'user', 'rm', 'bob', '--admin-url', 'http://127.0.0.1:1'),
    ).toMatchObject({ code: FAILED, stderr: expect.stringContaining('--admin-url') });
  });
});

describe('fosp on objects', () => {
  it('F26 F27 F28 F29 F30 F70 creates, prints, changes, lists and deletes', async () => {
    const { home, alice, path } = await begin();
    await using _home = home;
    await alice.succeed('register', 'alice');
    await alice.succeed('create', `${ALICE}/notes`);
    await alice.succeed('create', 'Alice@WONDERLAND.lit/notes/a', '{"data":{"n":12345678901234567890,"m":1.10}}');
    writeFileSync(path('b.json'), '{"data":"from a file"}');
    await alice.succeed('create', `${ALICE}/notes/b`, `@${path('b.json')}`);
    expect(await alice.feed('{"data":"from a pipe"}', 'create', `${ALICE}/notes/c`, '-')).toMatchObject({ code: 0 });
    expect(await alice.succeed('ls', `${ALICE}/notes`)).toBe('a\nb\nc\n');
    expect(await alice.succeed('ls', `${ALICE}/notes`, '--json')).toBe('"a"\n"b"\n"c"\n');
    expect(await alice.succeed('get', `${ALICE}/notes/a`)).toContain('    "n": 12345678901234567890,\n    "m": 1.10\n');
    await alice.succeed('patch', `${ALICE}/notes/a`, '{"data":{"m":null},"type":"text/plain"}');
    expect(await alice.succeed('get', `${ALICE}/notes/a`, '--json')).toContain('"data":{"n":12345678901234567890}');
    await alice.succeed('rm', `${ALICE}/notes/a`);
    expect(await alice.run('get', `${ALICE}/notes/a`)).toMatchObject({
      code: FAILED,
      stderr: expect.stringContaining('(404)'),
    });
  });

  it('F28 changes an object in an editor, and loses nothing of what was typed', async () => {
    const { home, alice, path } = await begin();
    await using _home = home;
    await alice.succeed('register', 'alice');
    await alice.succeed('create', `${ALICE}/a`, '{"data":{"n":12345678901234567890,"word":"before"}}');
    const editing = (script: string): Cli => {
      writeFileSync(path('my editor'), `#!/bin/sh\n${script}\n`);
      chmodSync(path('my editor'), 0o755);
      return alice.with({ EDITOR: `'${path('my editor')}' --wait`, TMPDIR: home.directory.path });
    };
    const drafts = (): string[] => readdirSync(home.directory.path).filter((name) => name.startsWith('fosp-edit-'));

    await editing(`sed -i 's/before/after/' "$2"`).succeed('edit', `${ALICE}/a`);
    const object = JSON.parse(await alice.succeed('get', `${ALICE}/a`, '--json'));
    expect(object.data.word).toBe('after');
    expect(await editing('true').succeed('edit', `${ALICE}/a`)).toBe('Nothing changed.\n');
    expect(await editing('grep -q owner "$2" && exit 1; true').run('edit', `${ALICE}/a`)).toMatchObject({ code: 0 });
    expect(drafts()).toEqual([]);
    const cases: readonly [string, RegExp][] = [
      [`echo '{"data":' > "$2"`, /What you saved/],
      [`echo '{"data":{"word":null}}' > "$2"`, /null cannot be sent/],
      [`echo '{"nonsense":1}' > "$2"`, /nonsense/],
    ];
    for (const [script, message] of cases) {
      const { code, stderr } = await editing(script).run('edit', `${ALICE}/a`);
      expect([code, stderr]).toEqual([FAILED, expect.stringMatching(message)]);
      const [, file = ''] = /What you typed is in (.*)$/m.exec(stderr) ?? [];
      expect(script).toContain(readFileSync(file, 'utf8').trim());
    }
    expect(await editing('exit 7').run('edit', `${ALICE}/a`)).toMatchObject({
      code: FAILED,
      stderr: expect.stringContaining('ended with 7'),
    });
    expect(JSON.parse(await alice.succeed('get', `${ALICE}/a`, '--json'))).toEqual(object);
  });

  it('F28 does not overwrite what somebody else changed while it was edited', async () => {
    const { home, alice, path } = await begin();
    await using _home = home;
    await alice.succeed('register', 'alice');
    await alice.succeed('create', `${ALICE}/a`, '{"data":"before"}');
    writeFileSync(path('editor'), `${COMMAND} patch ${ALICE}/a '{"type":"theirs"}' >&2; sed -i s/before/mine/ "$1"`);
    const { code, stderr } = await alice.with({ EDITOR: `sh '${path('editor')}'` }).run('edit', `${ALICE}/a`);
    expect([code, stderr]).toEqual([FAILED, expect.stringContaining('What you typed is in')]);
    const object = JSON.parse(await alice.succeed('get', `${ALICE}/a`, '--json'));
    expect(object).toMatchObject({ data: 'before', type: 'theirs' });
  });
});

describe('fosp on files', () => {
  it('F31 F32 F40 F3 stores and fetches any bytes, by files and pipes', async () => {
    const { home, alice, path } = await begin();
    await using _home = home;
    await alice.succeed('register', 'alice');
    await alice.succeed('create', `${ALICE}/a`);
    const bytes = randomBytes(3_000_000);
    writeFileSync(path('Grüße.png'), bytes);
    expect(JSON.parse(await alice.succeed('write', `${ALICE}/a`, path('Grüße.png'), '--json'))).toMatchObject({
      size: 3_000_000,
    });
    expect(JSON.parse(await alice.succeed('get', `${ALICE}/a`, '--json')).attachment).toEqual({
      name: 'Grüße.png',
      size: 3_000_000,
      'mime-type': 'image/png',
    });
    expect((await alice.run('read', `${ALICE}/a`)).bytes.equals(bytes)).toBe(true);
    await alice.succeed('read', `${ALICE}/a`, path('copy'));
    expect(readFileSync(path('copy')).equals(bytes)).toBe(true);

    expect(
      await alice.feed(bytes.subarray(7), 'write', `${ALICE}/a`, '--name', 'piped.bin', '--type', 'text/odd'),
    ).toMatchObject({ code: 0 });
    expect(JSON.parse(await alice.succeed('get', `${ALICE}/a`, '--json')).attachment).toEqual({
      name: 'piped.bin',
      size: 2_999_993,
      'mime-type': 'text/odd',
    });
    expect(await alice.shell(`fosp read ${ALICE}/a | head -c 1`)).toMatchObject({
      stderr: '',
      bytes: bytes.subarray(7, 8),
    });
    expect(await alice.shell(`set -o pipefail; fosp read ${ALICE}/a | head -c 1`)).toMatchObject({
      code: 0,
      stderr: '',
    });
    expect(await alice.shell(`fosp get ${ALICE}/a > /dev/full`)).toMatchObject({ code: FAILED });
    expect(await alice.shell('set -o pipefail; fosp --help | :')).toMatchObject({ code: 0, stderr: '' });
    expect(await alice.feed('', 'write', `${ALICE}/a`)).toMatchObject({ code: 0 });
    expect((await alice.run('read', `${ALICE}/a`)).bytes.length).toBe(0);
  });

  it('F32 leaves the file of before where a fetch fails', async () => {
    const { home, alice, path } = await begin();
    await using _home = home;
    await alice.succeed('register', 'alice');
    writeFileSync(path('mine'), 'as before');
    expect(await alice.run('read', `${ALICE}/`, path('mine'))).toMatchObject({ code: FAILED });
    expect(readFileSync(path('mine'), 'utf8')).toBe('as before');
    expect(await alice.run('write', `${ALICE}/`, path('nothing there'))).toMatchObject({
      code: FAILED,
      stderr: expect.stringContaining('ENOENT'),
    });
    expect(await alice.run('write', `${ALICE}/`, home.directory.path)).toMatchObject({
      code: USAGE,
      stderr: expect.stringContaining('fosp import'),
    });
    expect(readdirSync(home.directory.path).filter((name) => name.includes('part'))).toEqual([]);
  });
});

describe('mistakes on the command line', () => {
  it.each([
    [[], 'Usage: fosp'],
    [['frobnicate'], 'unknown command'],
    [['lss'], 'Did you mean ls?'],
    [['ls'], "missing required argument 'resource'"],
    [['get', 'a@b/', 'more'], 'too many arguments'],
    [['ls', 'a@b/', '--url', 'localhost'], 'ws://host:1337'],
    [['share', 'a@b/', 'c@b', '--rights', 'all'], 'Allowed choices are read, write, manage'],
    [['watch', 'a@b/', '--depth', 'deep'], 'whole number'],
    [['import', '/nowhere', 'a@b/'], 'is no folder'],
  ])('%j exits with 2 and says %s, in JSON too', async (args, message) => {
    const nobody = new Cli(undefined, '/nowhere/session.json');
    expect(await nobody.run(...args)).toMatchObject({
      code: USAGE,
      stdout: '',
      stderr: expect.stringContaining(message),
    });
    const { code, stdout } = await nobody.run(...args, '--json');
    expect(code).toBe(USAGE);
    if (args.length > 0) {
      expect(JSON.parse(stdout).error.message.replaceAll('\n', ' ')).toContain(message);
    }
  });

  it.each([
    [['--help'], 'Begin with:'],
    [['share', '--help'], 'manage  also share with others'],
    [['--version'], /^\d+\.\d+\.\d+\n$/],
  ])('%j is answered', async (args, answer) => {
    const { code, stdout, stderr } = await new Cli(undefined, '/nowhere').run(...args);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(answer);
  });

  it('F34 says what was tried where no server is, and what the server said where one is, in JSON too', async () => {
    const { home, alice } = await begin();
    await using _home = home;
    await alice.succeed('register', 'alice');
    const { code, stdout } = await alice.run('get', `${BOB}/secret`, '--json');
    expect([code, JSON.parse(stdout)]).toEqual([
      FAILED,
      { error: { message: expect.stringContaining(BOB), status: 403 } },
    ]);
    await home.stop('SIGKILL');
    expect(await alice.run('ls', `${ALICE}/`)).toMatchObject({
      code: FAILED,
      stderr: expect.stringMatching(/ECONNREFUSED.*Is a server running at ws:.*pnpm@12 start/),
    });
    const failed = await alice.run('ls', `${ALICE}/`, '--json');
    expect([failed.code, JSON.parse(failed.stdout).error.message]).toEqual([
      FAILED,
      expect.stringContaining('ECONNREFUSED'),
    ]);
  });
});
