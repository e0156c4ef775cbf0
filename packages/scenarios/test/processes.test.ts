/** Each service as a process of its own: what it says where it cannot start, and when it is ready. */
import {
  infrastructureInstalled,
  type Program,
  SERVICES,
  ServerProcess,
  startInfrastructure,
  temporaryDirectory,
} from '@fosp/testkit';
import { describe, expect, it } from 'vitest';

/** Standard error of a process that does not become ready. */
async function refusal(program: Program, environment: Readonly<Record<string, string>>): Promise<string> {
  await using directory = await temporaryDirectory();
  const server = new ServerProcess({ program, dataDirectory: directory.path, environment });
  expect(await server.exited).toEqual({ code: 1, signal: null });
  return server.errors;
}

describe('a service that cannot start', () => {
  it.each(SERVICES)('%s says that it needs NATS, by which variable', async (program) => {
    expect(await refusal(program, {})).toContain('FOSP_NATS_URL: is not set');
  });

  it('names the server that it cannot reach, and no password', async () => {
    const errors = await refusal('gateway', { FOSP_NATS_URL: 'nats://fosp:hidden@127.0.0.1:1' });
    expect(errors).toContain('Cannot connect to NATS at nats://127.0.0.1:1');
    expect(errors).not.toContain('hidden');
    expect(errors.trimEnd().split('\n')).toHaveLength(1);
  });
});

const isLeftOut = !infrastructureInstalled();

describe.skipIf(isLeftOut)(`a service on its infrastructure${isLeftOut ? ' (left out, see above)' : ''}`, () => {
  it('says that the database is to be migrated first, and by what', async () => {
    await using infrastructure = await startInfrastructure();
    const environment = { ...infrastructure.environment, FOSP_POSTGRES_URL: await infrastructure.postgres.database() };
    expect(await refusal('objects', environment)).toContain('fosp-objects migrate');
  });

  it('F68 is unready while NATS is away, stays alive, and is ready again by itself', async () => {
    await using infrastructure = await startInfrastructure();
    await using directory = await temporaryDirectory();
    const { environment } = infrastructure;
    await using server = await ServerProcess.start({
      program: 'notifications',
      dataDirectory: directory.path,
      environment,
    });
    expect(await readiness(server)).toEqual({ status: 200, reasons: [] });
    await infrastructure.nats.kill();
    await expect.poll(() => readiness(server)).toEqual({ status: 503, reasons: ['NATS cannot be reached'] });
    expect((await fetch(`${server.admin}/livez`)).status).toBe(200);
    await infrastructure.nats.restart();
    await expect.poll(() => readiness(server)).toEqual({ status: 200, reasons: [] });
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  });
});

async function readiness(server: ServerProcess): Promise<{ status: number; reasons: readonly string[] }> {
  const response = await fetch(`${server.admin}/readyz`);
  const { reasons }: { readonly reasons: readonly string[] } = JSON.parse(await response.text());
  return { status: response.status, reasons };
}
