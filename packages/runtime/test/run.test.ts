import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';

const FIXTURE = fileURLToPath(new URL('fixtures/process.ts', import.meta.url));

type Line = Readonly<Record<string, unknown>>;

/** A child process, seen from outside. */
class Fixture {
  readonly lines: Line[] = [];
  errors = '';
  readonly #child: ChildProcess;
  readonly #exit: Promise<number | string>;
  #waiting: (() => void)[] = [];

  constructor(behaviour: string, environment: Record<string, string> = {}) {
    this.#child = spawn(process.execPath, [FIXTURE, behaviour], {
      env: { FOSP_ADMIN_PORT: '0', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.errors += text;
    });
    if (this.#child.stdout !== null) {
      createInterface(this.#child.stdout).on('line', (line) => {
        this.lines.push(JSON.parse(line));
        for (const wake of this.#waiting.splice(0)) {
          wake();
        }
      });
    }
    this.#exit = once(this.#child, 'close').then(([code, signal]) => code ?? signal);
  }

  async line(matches: Line): Promise<Line> {
    for (;;) {
      const found = this.lines.find((line) => Object.entries(matches).every(([name, value]) => line[name] === value));
      if (found !== undefined) {
        return found;
      }
      const more = new Promise<boolean>((resolve) => this.#waiting.push(() => resolve(true)));
      if (!(await Promise.race([more, this.#exit.then(() => false)]))) {
        throw new Error(`ended without ${JSON.stringify(matches)}:\n${JSON.stringify(this.lines)}\n${this.errors}`);
      }
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  exit(): Promise<number | string> {
    return this.#exit;
  }

  steps(): unknown[] {
    return this.lines.flatMap(({ step }) => step ?? []);
  }
}

const running: Fixture[] = [];

function run(behaviour: string, environment: Record<string, string> = {}): Fixture {
  const fixture = new Fixture(behaviour, environment);
  running.push(fixture);
  return fixture;
}

afterEach(async () => {
  for (const fixture of running.splice(0)) {
    fixture.signal('SIGKILL');
    await fixture.exit();
  }
});

describe('a process', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('starts, is ready, drains on %s and exits 0', async (signal) => {
    const fixture = run('well', { FOSP_ADMIN_TOKEN: 'let me in', FOSP_OF_ANOTHER: 'x' });
    const { adminPort, level } = await fixture.line({ msg: 'ready' });
    expect(level).toBe('info');
    const ask = (path: string) =>
      fetch(`http://127.0.0.1:${adminPort}${path}`, { headers: { authorization: 'Bearer let me in' } });
    expect((await ask('/readyz')).status).toBe(200);
    expect((await ask('/hello')).status).toBe(200);
    expect(await (await ask('/metrics')).text()).toContain('process_cpu_seconds_total');
    fixture.signal(signal);
    expect(await fixture.exit()).toBe(0);
    expect(fixture.steps()).toEqual(['start', 'drain', 'drained']);
    expect(fixture.lines.map(({ msg }) => msg).filter(Boolean)).toEqual(['ready', 'draining', 'drained']);
    expect(fixture.errors).toBe('');
  });

  it('is live and unready while it drains, and ends at once on a second signal', async () => {
    const fixture = run('stuck');
    const { adminPort } = await fixture.line({ msg: 'ready' });
    fixture.signal('SIGTERM');
    await fixture.line({ step: 'drain' });
    const readiness = await fetch(`http://127.0.0.1:${adminPort}/readyz`);
    expect([readiness.status, await readiness.json()]).toEqual([503, { ready: false, reasons: ['draining'] }]);
    fixture.signal('SIGTERM');
    expect(await fixture.exit()).toBe(1);
    expect(fixture.steps()).toEqual(['start', 'drain']);
  });

  it('does not outlive its drain time', async () => {
    const fixture = run('stuck', { FOSP_DRAIN_SECONDS: '1' });
    await fixture.line({ msg: 'ready' });
    fixture.signal('SIGTERM');
    expect(await fixture.exit()).toBe(1);
    await fixture.line({ level: 'error', drainSeconds: 1 });
  });

  it('exits 1 where it cannot drain', async () => {
    const fixture = run('cannot-drain');
    await fixture.line({ msg: 'ready' });
    fixture.signal('SIGTERM');
    expect(await fixture.exit()).toBe(1);
    await fixture.line({ msg: 'could not drain' });
  });

  it('ends at once on a signal before it was ready', async () => {
    const fixture = run('never-ready');
    await fixture.line({ step: 'start' });
    fixture.signal('SIGTERM');
    expect(await fixture.exit()).toBe(0);
    expect(fixture.steps()).toEqual(['start']);
  });

  it.each([
    ['rejects', 'nobody waits for this'],
    ['throws', 'nobody catches this'],
  ])('logs an error that nobody caught (%s), drains, and exits 1', async (behaviour, text) => {
    const fixture = run(behaviour);
    await fixture.line({ msg: 'ready' });
    fixture.signal('SIGUSR2');
    expect(await fixture.exit()).toBe(1);
    expect((await fixture.line({ level: 'fatal' }))['error']).toMatchObject({
      message: text,
      stack: expect.any(String),
    });
    expect(fixture.steps()).toEqual(['start', 'drain', 'drained']);
  });

  it('warns of variables that are probably misspelt', async () => {
    const fixture = run('well', { FOSP_WS_PROT: '1' });
    await fixture.line({ level: 'warn', msg: 'FOSP_WS_PROT is not known here; is it meant to be FOSP_WS_PORT?' });
  });
});

describe('a process that cannot start exits 1 and says why', () => {
  it('all mistakes in its environment', async () => {
    const fixture = run('well', { FOSP_WS_PORT: 'many', FOSP_LOG_LEVEL: 'loud', FOSP_ADMIN_PORT: '-1' });
    expect(await fixture.exit()).toBe(1);
    expect(fixture.errors).toMatch(/^fixture cannot start: 3 environment variables are not as they should be:\n/);
    for (const name of ['FOSP_WS_PORT', 'FOSP_LOG_LEVEL', 'FOSP_ADMIN_PORT']) {
      expect(fixture.errors).toContain(`  ${name}: `);
    }
    expect(fixture.errors.trimEnd().split('\n')).toHaveLength(4);
  });

  it.each(['FOSP_WS_PORT', 'FOSP_ADMIN_PORT'])('which port is in use, and that %s changes it', async (variable) => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const fixture = run('well', { [variable]: String(port) });
    expect(await fixture.exit()).toBe(1);
    taken.close();
    expect(fixture.errors).toBe(
      `fixture cannot start: port ${port} on 127.0.0.1 is in use; set ${variable} to another, or to 0 for any\n`,
    );
  });

  it('that its address is none of this machine', async () => {
    const fixture = run('well', { FOSP_HOST: '192.0.2.77' });
    expect(await fixture.exit()).toBe(1);
    expect(fixture.errors).toBe(
      'fixture cannot start: 192.0.2.77 is no address of this machine; set FOSP_HOST to one\n',
    );
  });

  it('with its stack where it is a fault of the program', async () => {
    const fixture = run('fails');
    expect(await fixture.exit()).toBe(1);
    expect(fixture.errors).toMatch(/^fixture cannot start: TypeError: a fault in the program\n +at /);
  });
});
