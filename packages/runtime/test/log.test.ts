import { expect, it } from 'vitest';
import { createLog, Secret } from '../src/index.ts';

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

it('binds a request id to all that belongs to a request', async () => {
  const lines = await logged('info', (log) => {
    const ofRequest = log.child({ requestId: 'r-1' });
    ofRequest.info('a');
    ofRequest.info('b');
  });
  expect(lines.map(({ requestId }) => requestId)).toEqual(['r-1', 'r-1']);
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
    message: expect.stringContaining('outer'),
    stack: expect.stringContaining('inner'),
  });
});
