/** The conformance suite, case by case, against standalone. */
import { CASES, type Case, createRun, type Run, resultText } from '@fosp/conformance';
import { ServerProcess, temporaryDirectory } from '@fosp/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** An internationalised one, so that no case is skipped for want of it; as the server spells it. */
const DOMAIN = 'xn--bcher-kva.example';
/** What is only to be seen with another configuration, and so in a block of its own. */
const CLOSED = CASES.filter(({ id }) => id === 'register-closed');

conforms('open to registrations', { FOSP_LIMIT_REGISTRATIONS_PER_MINUTE: '100000' }, without(CLOSED));
conforms('closed to registrations', { FOSP_REGISTRATION: 'closed' }, CLOSED);

function conforms(name: string, environment: Readonly<Record<string, string>>, cases: readonly Case[]): void {
  describe(`standalone, ${name}, conforms`, () => {
    const cleanup = new AsyncDisposableStack();
    let run: Run;

    beforeAll(async () => {
      const { path } = cleanup.use(await temporaryDirectory());
      const server = await ServerProcess.start({
        dataDirectory: path,
        environment: { FOSP_DOMAIN: DOMAIN, ...environment },
      });
      run = createRun(cleanup.use(server).url, DOMAIN);
    });

    afterAll(() => cleanup.disposeAsync());

    for (const one of cases) {
      it(`${one.covers.join(' ')} ${one.id}: ${one.title}`, { timeout: 60_000 }, async () => {
        const result = await run.execute(one);
        expect(result.outcome, resultText(result)).toBe('ok');
      });
    }
  });
}

function without(left: readonly Case[]): Case[] {
  return CASES.filter((one) => !left.includes(one));
}
