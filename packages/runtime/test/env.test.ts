import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  bytes,
  count,
  describeVariables,
  EnvironmentError,
  list,
  type Networks,
  networks,
  oneOf,
  onOff,
  port,
  REQUIRED,
  readEnvironment,
  type Secret,
  seconds,
  secretText,
  secretUrl,
  text,
  unknownVariables,
  url,
  variable,
} from '../src/index.ts';

const DECLARED = {
  wsPort: port('FOSP_WS_PORT', 1337, 'public port for ws'),
  registration: oneOf('FOSP_REGISTRATION', 'open', 'who may register', { choices: ['open', 'closed'] }),
  memory: bytes('FOSP_MEMORY', '512 MiB', 'all messages in transit', { min: 1024 }),
  natsUrl: secretUrl('FOSP_NATS_URL', undefined, 'where NATS is', { protocols: ['nats', 'tls'] }),
  bucket: text('FOSP_BUCKET', REQUIRED, 'where files go'),
};

function mistakesOf(run: () => unknown): readonly string[] {
  try {
    run();
  } catch (error) {
    if (error instanceof EnvironmentError) {
      return error.mistakes;
    }
    throw error;
  }
  return [];
}

describe('readEnvironment', () => {
  it('gives defaults, and what is set in their place, typed', () => {
    const settings = readEnvironment({ FOSP_BUCKET: 'files', FOSP_WS_PORT: '8080', FOSP_REGISTRATION: '' }, DECLARED);
    expect(settings).toEqual({
      wsPort: 8080,
      registration: 'open',
      memory: 512 * 1024 * 1024,
      natsUrl: undefined,
      bucket: 'files',
    });
    expectTypeOf(settings.wsPort).toEqualTypeOf<number>();
    expectTypeOf(settings.registration).toEqualTypeOf<'open' | 'closed'>();
    expectTypeOf(settings.natsUrl).toEqualTypeOf<Secret<string> | undefined>();
    expectTypeOf(settings.bucket).toEqualTypeOf<string>();
  });

  it('keeps groups apart, and reads a variable that several of them declare alike', () => {
    const host = text('FOSP_HOST', '127.0.0.1', 'address to listen on');
    const settings = readEnvironment(
      { FOSP_HOST: '::1' },
      { gateway: { host, networks: networks('N', '', 'n') }, objects: { host } },
    );
    expect(settings.gateway.host).toBe('::1');
    expect(settings.objects.host).toBe('::1');
    expectTypeOf(settings.gateway.networks).toEqualTypeOf<Networks>();
  });

  it('reports all mistakes together: variable, what is wrong, what is allowed', () => {
    const environment = { FOSP_WS_PORT: '70000', FOSP_REGISTRATION: 'maybe', FOSP_MEMORY: '3 parsecs' };
    const read = () => readEnvironment(environment, DECLARED);
    expect(read).toThrow(/^4 environment variables are not as they should be:\n {2}FOSP_WS_PORT: /);
    const expected = [
      /^FOSP_WS_PORT: "70000" .*0 to 65535.*public port for ws/,
      /^FOSP_REGISTRATION: "maybe" .*open, closed/,
      /^FOSP_MEMORY: "3 parsecs" .*64 KiB/,
      /^FOSP_BUCKET: is not set/,
    ];
    const mistakes = mistakesOf(read);
    expect(mistakes).toHaveLength(expected.length);
    for (const [index, pattern] of expected.entries()) {
      expect(mistakes[index]).toMatch(pattern);
    }
  });

  it('reports a mistake in a variable of several groups once', () => {
    const wsPort = port('FOSP_WS_PORT', 1337, 'public port for ws');
    expect(mistakesOf(() => readEnvironment({ FOSP_WS_PORT: 'x' }, { a: { wsPort }, b: { wsPort } }))).toHaveLength(1);
  });

  it('reads a kind of one’s own, whose errors are its words', () => {
    const even = {
      allowed: 'an even number',
      parse: (given: string) => {
        if (Number(given) % 2 !== 0) {
          throw new Error(`${given} is odd`);
        }
        return Number(given);
      },
    };
    const declared = { pairs: variable('PAIRS', 4, 'how many', even) };
    expect(readEnvironment({}, declared)).toEqual({ pairs: 4 });
    expect(mistakesOf(() => readEnvironment({ PAIRS: '5' }, declared))[0]).toContain(
      '5 is odd; it takes an even number (how many)',
    );
  });
});

describe('kinds of variables', () => {
  const kinds = {
    port: port('X', undefined, ''),
    count: count('X', undefined, '', { min: 1, max: 10 }),
    seconds: seconds('X', undefined, ''),
    bytes: bytes('X', undefined, ''),
    onOff: onOff('X', undefined, ''),
    list: list('X', undefined, ''),
    url: url('X', undefined, '', { protocols: ['http', 'https'] }),
  };

  it.each([
    ['port', '0', 0],
    ['port', '65535', 65535],
    ['port', '65536', undefined],
    ['port', '-1', undefined],
    ['port', '80.5', undefined],
    ['port', 'http', undefined],
    ['count', '10', 10],
    ['count', '11', undefined],
    ['count', '0', undefined],
    ['count', '1e1', undefined],
    ['seconds', '25', 25],
    ['seconds', '25s', undefined],
    ['bytes', '65536', 65536],
    ['bytes', '64KiB', 65536],
    ['bytes', '64 kib', 65536],
    ['bytes', '1.5 GiB', 1.5 * 2 ** 30],
    ['bytes', '2 MB', 2_000_000],
    ['bytes', '7 B', 7],
    ['bytes', '1 XiB', undefined],
    ['bytes', 'KiB', undefined],
    ['bytes', '-1', undefined],
    ['onOff', 'on', true],
    ['onOff', 'OFF', false],
    ['onOff', 'true', undefined],
    ['list', 'a, b,,c ,', ['a', 'b', 'c']],
    ['url', 'https://example.org/a', 'https://example.org/a'],
    ['url', 'ftp://example.org', undefined],
    ['url', 'https:example.org', undefined],
    ['url', 'example.org', undefined],
  ] as const)('%s reads %j as %j', (kind, given, expected) => {
    const read = () => readEnvironment({ X: given }, { x: kinds[kind] }).x;
    if (expected === undefined) {
      expect(mistakesOf(read)).toHaveLength(1);
    } else {
      expect(read()).toEqual(expected);
    }
  });

  it.each([
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['192.0.2.1', '192.0.2.1', true],
    ['192.0.2.1', '192.0.2.2', false],
    ['fd00::/8, 127.0.0.0/8', 'fd12::1', true],
    ['fd00::/8, 127.0.0.0/8', '127.0.0.1', true],
    ['::1', '127.0.0.1', false],
    ['10.0.0.0/8', 'no address', false],
    ['', '10.0.0.1', false],
  ])('the networks "%s" have %s: %s', (given, address, expected) => {
    const { x } = readEnvironment({ X: given }, { x: networks('X', '', '') });
    expect(x.has(address)).toBe(expected);
  });

  it.each(['10.0.0.0/33', '10.0.0/8', '::/129', '10.0.0.0/8/8', '10.0.0.0/', 'example.org'])(
    '"%s" is no network',
    (given) => {
      const [mistake] = mistakesOf(() => readEnvironment({ X: `::1,${given}` }, { x: networks('X', '', '') }));
      expect(mistake).toContain(`"${given}"`);
    },
  );
});

describe('secrets', () => {
  const declared = { key: secretText('FOSP_KEY', undefined, 'a key'), url: DECLARED.natsUrl };

  it('are never shown', () => {
    const { key } = readEnvironment({ FOSP_KEY: 'hunter2' }, declared);
    expect(key?.reveal()).toBe('hunter2');
    for (const shown of [
      String(key),
      `${key}`,
      JSON.stringify({ key }),
      inspect({ key }),
      inspect(key, { showHidden: true }),
    ]) {
      expect(shown).toContain('[secret]');
      expect(shown).not.toContain('hunter2');
    }
  });

  it('are in no message about a mistake', () => {
    const mistakes = mistakesOf(() => readEnvironment({ FOSP_NATS_URL: 'http://user:hunter2@host' }, declared));
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).toContain('FOSP_NATS_URL');
    expect(mistakes[0]).not.toContain('hunter2');
  });

  it('come from a file where its name is given, without the line’s end', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'fosp-env-')), 'key');
    writeFileSync(file, ' hunter2 \n');
    expect(readEnvironment({ FOSP_KEY_FILE: file }, declared).key?.reveal()).toBe(' hunter2 ');
    expect(mistakesOf(() => readEnvironment({ FOSP_KEY_FILE: file, FOSP_KEY: 'x' }, declared))[0]).toContain(
      'FOSP_KEY_FILE too',
    );
    expect(mistakesOf(() => readEnvironment({ FOSP_KEY_FILE: `${file}-absent` }, declared))[0]).toMatch(
      /FOSP_KEY: .*FOSP_KEY_FILE.*ENOENT/,
    );
  });
});

describe('describeVariables', () => {
  it('gives the rows of the documentation, each variable once', () => {
    expect(describeVariables({ gateway: DECLARED, again: { wsPort: DECLARED.wsPort } })).toEqual([
      {
        name: 'FOSP_WS_PORT',
        fallback: '1337',
        allowed: 'a port from 0 to 65535',
        meaning: 'public port for ws',
        required: false,
        secret: false,
      },
      expect.objectContaining({ name: 'FOSP_REGISTRATION', fallback: 'open', allowed: 'open, closed' }),
      expect.objectContaining({ name: 'FOSP_MEMORY', fallback: '512 MiB' }),
      expect.objectContaining({ name: 'FOSP_NATS_URL', fallback: undefined, secret: true }),
      expect.objectContaining({ name: 'FOSP_BUCKET', fallback: undefined, required: true }),
    ]);
  });

  it('refuses two declarations of one name that differ', () => {
    const other = port('FOSP_WS_PORT', 1338, 'public port for ws');
    expect(() => describeVariables({ gateway: DECLARED, other: { other } })).toThrow(
      'FOSP_WS_PORT is declared in two ways',
    );
  });
});

describe('unknownVariables', () => {
  it.each([
    ['FOSP_WS_PROT', 'FOSP_WS_PROT is not known here; is it meant to be FOSP_WS_PORT?'],
    ['FOSP_REGISTRATIONS', 'FOSP_REGISTRATIONS is not known here; is it meant to be FOSP_REGISTRATION?'],
    ['FOSP_NATS_URL_FIEL', 'FOSP_NATS_URL_FIEL is not known here; is it meant to be FOSP_NATS_URL_FILE?'],
    ['FOSP_SOMETHING_ELSE', 'FOSP_SOMETHING_ELSE is not known here'],
  ])('warns of %s', (name, warning) => {
    const environment = { [name]: '', FOSP_WS_PORT: '1', FOSP_NATS_URL_FILE: 'x', FOSP_OTHER: 'x', PATH: '/' };
    expect(unknownVariables(environment, { DECLARED }, { prefix: 'FOSP_', alsoKnown: ['FOSP_OTHER'] })).toEqual([
      warning,
    ]);
  });
});
