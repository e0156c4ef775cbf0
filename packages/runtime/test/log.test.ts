import { expect, it } from 'vitest';
import { createLog, detached, Secret, type Span, within } from '../src/index.ts';

async function logged(level: 'info' | 'warn', write: (log: Awaited<ReturnType<typeof createLog>>) => void) {
  const lines: string[] = [];
  write(await createLog({ name: 'gateway', level, to: { write: (line) => lines.push(line) } }));
  return lines.map((line): Record<string, unknown> => JSON.parse(line));
}

it('writes JSON lines with level, service and time, from its level on', async () => {
  const lines = await logged('warn', (log) => {
    log.info('not this');
    log.warn({ tree: 'alice@wonderland.lit' }, 'this');
  });
  expect(lines).toEqual([
    expect.objectContaining({ level: 'warn', service: 'gateway', tree: 'alice@wonderland.lit', msg: 'this' }),
  ]);
  expect(lines[0]?.['time']).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
});

it('shows no secret, by type or by name of its field', async () => {
  const lines = await logged('info', (log) =>
    log.info(
      {
        key: new Secret('hunter2'),
        password: 'hunter2',
        login: { token: 'hunter2' },
        request: { headers: { authorization: 'hunter2' } },
      },
      'login',
    ),
  );
  expect(JSON.stringify(lines)).not.toContain('hunter2');
  expect(lines[0]).toMatchObject({ key: '[secret]', password: '[secret]', login: { token: '[secret]' } });
});

it('shows errors with their stack and cause', async () => {
  const error = new Error('outer', { cause: new TypeError('inner') });
  const [line] = await logged('info', (log) => log.error({ error }, 'it failed'));
  expect(line?.['error']).toMatchObject({
    message: 'outer',
    stack: expect.stringContaining('log.test.ts'),
    cause: { type: 'TypeError', message: 'inner', stack: expect.stringContaining('log.test.ts') },
  });
});

it('shows of an error what it says, and nothing that was hung on it or that it quotes', async () => {
  const refused = Object.assign(new Error('OOM'), { code: 'OOM', command: { name: 'set', args: ['k', 'hunter2'] } });
  const [line] = await logged('info', (log) => log.error({ error: refused }, 'it failed'));
  expect(line?.['error']).toEqual({ type: 'Error', message: 'OOM', code: 'OOM', stack: expect.any(String) });
  const lines = await logged('info', (log) => {
    try {
      JSON.parse('{"data": hunter2}');
    } catch (error) {
      log.error({ error: new Error('a row cannot be read', { cause: error }) }, 'it failed');
    }
    log.error({ error: { password: 'hunter2' } }, 'thrown was no error');
  });
  expect(JSON.stringify(lines)).not.toContain('hunter2');
  expect(lines[0]?.['error']).toMatchObject({ cause: { type: 'SyntaxError' } });
});

it('names the request, and the span where it is traced, in all that is written for it', async () => {
  const span: Span = {
    ...{ traceId: 't-1', spanId: 's-1', context: '' },
    ...{ child: () => span, set: () => undefined, failed: () => undefined, end: () => undefined },
  };
  const lines = await logged('info', (log) => {
    within({ requestId: 'r-1', span }, () => {
      log.info('traced');
      within({ requestId: 'r-2', span: undefined }, () => log.info('another'));
      detached(() => log.info('nobody’s'));
    });
  });
  expect(lines[0]).toMatchObject({ requestId: 'r-1', trace_id: 't-1', span_id: 's-1' });
  expect(lines[1]).toMatchObject({ requestId: 'r-2' });
  expect(lines[1]).not.toHaveProperty('trace_id');
  expect(lines[2]).not.toHaveProperty('requestId');
});
