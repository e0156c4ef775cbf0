/** The conformance suite against all services, which reach each other over a real NATS alone. */
import { CASES, createRun, type Run, resultText } from '@fosp/conformance';
import { createStandalone } from '@fosp/standalone';
import { natsInstalled, startNats, temporaryDirectory } from '@fosp/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PATIENT } from '../../src/patient.ts';
import { connectTo } from './ends.ts';

const DOMAIN = 'xn--bcher-kva.example';

describe.skipIf(!natsInstalled())('services over NATS conform', () => {
  const cleanup = new AsyncDisposableStack();
  let run: Run;

  beforeAll(async () => {
    const server = cleanup.use(await startNats());
    const { path } = cleanup.use(await temporaryDirectory());
    const transport = await connectTo(server.port);
    const environment = {
      FOSP_DOMAIN: DOMAIN,
      FOSP_HOST: '127.0.0.1',
      FOSP_WS_PORT: '0',
      FOSP_ADMIN_PORT: '0',
      FOSP_DATA_DIR: path,
      FOSP_LIMIT_REGISTRATIONS_PER_MINUTE: '100000',
    };
    const services = createStandalone(environment, { transport });
    cleanup.defer(() => services.drain());
    const { url } = await services.start();
    run = createRun(url, DOMAIN, PATIENT);
  });

  afterAll(() => cleanup.disposeAsync());

  for (const one of CASES.filter(({ id }) => id !== 'register-closed')) {
    it(`${one.covers.join(' ')} ${one.id}: ${one.title}`, async () => {
      const result = await run.execute(one);
      expect(result.outcome, resultText(result)).toBe('ok');
    });
  }
});
