import { expect, it } from 'vitest';
import type { Case, Context } from '../src/case.ts';
import { runConformance } from '../src/conformance.ts';
import { expectStatus } from '../src/expect.ts';
import { resultText } from '../src/report.ts';
import type { Result, RunOptions } from '../src/run.ts';
import { greeting, type Script, startScripted } from './scripted-server.ts';

function caseOf(run: (t: Context) => Promise<void>): Case {
  return { id: 'a-case', covers: ['F1'], section: '1', title: 'a title', run };
}

/** Runs one case against a server that, after CONNECT, answers by script. */
async function resultOf(script: Script, run: Case['run'], options: RunOptions = {}): Promise<Result> {
  await using server = await startScripted((message) => greeting(message) ?? script(message));
  const [result] = await runConformance(server.url, 'x.lit', { timeoutMs: 2_000, cases: [caseOf(run)], ...options });
  if (!result) throw new Error('no result');
  return result;
}

const list = async (t: Context) =>
  void expectStatus(await (await t.negotiate()).request('LIST', 'alice@x.lit', { sequence: 7 }), 200);

it('passes a case whose expectations hold', async () => {
  const result = await resultOf(() => ['SUCCEEDED 200 7\r\n\r\n[]'], list);
  expect(result.outcome).toBe('ok');
});

it('reports what was expected, what came, and the raw heads', async () => {
  const result = await resultOf(() => ['FAILED 403 7\r\n\r\n{"message":"no"}'], list);
  expect(result.outcome).toBe('failed');
  const text = resultText(result);
  for (const part of ['FAIL  a-case  [§1 F1]  a title', 'expected 200', 'came FAILED 403 7', '> LIST alice@x.lit 7']) {
    expect(text).toContain(part);
  }
});

const FAULTY: readonly [string, readonly (string | Buffer)[], string][] = [
  ['no answer', [], 'a response to 7 within 2000 ms'],
  ['an answer to another number', ['SUCCEEDED 200 8\r\n\r\n[]'], 'a response to 7'],
  ['an answer in a binary frame', [Buffer.from('SUCCEEDED 200 7\r\n\r\n[]')], 'binary frame'],
  [
    'a second answer',
    ['SUCCEEDED 200 7\r\n\r\n[]', 'SUCCEEDED 200 7\r\n\r\n[]', 'SUCCEEDED 200 9\r\n'],
    'no request awaits',
  ],
  ['an unlawful notification', ['DELETED alice@x.lit/a/\r\n', 'SUCCEEDED 200 7\r\n\r\n[]'], 'trailing slash'],
  ['an empty message', ['', 'SUCCEEDED 200 7\r\n\r\n[]'], 'empty WebSocket message'],
];

it.each(FAULTY)('fails a case that gets %s', async (_, answers, reason) => {
  const twice = async (t: Context) => {
    const connection = await t.negotiate();
    expectStatus(await connection.request('LIST', 'alice@x.lit', { sequence: 7 }), 200);
    const pong = new Promise((resolve) => connection.socket.once('pong', resolve));
    connection.socket.ping();
    await pong;
  };
  const result = await resultOf(() => answers, twice);
  expect(result).toMatchObject({ outcome: 'failed', reason: expect.stringContaining(reason) });
});

it('skips with the reason', async () => {
  const closed = await resultOf(
    () => [],
    async (t) => t.needs('etag'),
  );
  expect(closed).toMatchObject({ outcome: 'skipped', reason: 'extension not announced: etag' });
  const noUsers = await resultOf(
    () => [],
    async (t) => void (await t.fresh()),
    { users: {} },
  );
  expect(noUsers).toMatchObject({ outcome: 'skipped', reason: expect.stringContaining('--users') });
});

it('waits out a limit on registrations, then gives up', async () => {
  const refused: string[] = [];
  const script: Script = (message) => {
    const [, sequence] = /^REGISTER \* (\d+)/.exec(message) ?? [];
    refused.push(message);
    const limited = refused.length <= 2;
    return [
      limited
        ? `FAILED 429 ${sequence}\r\nRetry-After: 0\r\n\r\n{"message":"slowly"}`
        : `FAILED 403 ${sequence}\r\n\r\n{"message":"no"}`,
    ];
  };
  const register = async (t: Context) => void expectStatus(await t.register({ name: 'a', password: 'b' }), 403);
  expect(await resultOf(script, register)).toMatchObject({ outcome: 'ok' });
  const never = await resultOf(() => ['FAILED 429 2\r\nRetry-After: 60\r\n\r\n{"message":"slowly"}'], register, {
    patienceMs: 50,
  });
  expect(never).toMatchObject({ outcome: 'skipped', reason: expect.stringContaining('limits registrations') });
});

it('opens sockets by the factory it is given', async () => {
  await using server = await startScripted((message) => greeting(message) ?? []);
  const { WebSocket } = await import('ws');
  let opened = 0;
  const connect = async () => {
    opened += 1;
    return new WebSocket(server.url, { perMessageDeflate: false });
  };
  const [result] = await runConformance('ws://nowhere.invalid', 'x.lit', {
    connect,
    cases: [caseOf(async (t) => void (await t.open()))],
  });
  expect(result?.outcome).toBe('ok');
  expect(opened).toBe(2);
});
