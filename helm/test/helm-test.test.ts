/** What `helm test` runs in a cluster, run here against a standalone server: it has to pass, and to fail where something is amiss. */
import { spawn } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PASSWORD, ServerProcess, TestSession, temporaryDirectory, WONDERLAND } from '@fosp/testkit';
import { expect, it, onTestFinished } from 'vitest';
import { CHART } from '../src/chart.ts';

const PATIENCE = 120_000;
const COMMAND_LINE = fileURLToPath(import.meta.resolve('@fosp/cli/main'));

/** As in the image: a POSIX shell, and `fosp`. */
async function runTest(environment: Readonly<Record<string, string>>) {
  await using folder = await temporaryDirectory();
  writeFileSync(`${folder.path}/fosp`, `#!/bin/sh\nexec "${process.execPath}" "${COMMAND_LINE}" "$@"\n`);
  chmodSync(`${folder.path}/fosp`, 0o755);
  const child = spawn('sh', ['-eu', '-c', readFileSync(`${CHART}/test.sh`, 'utf8')], {
    cwd: folder.path,
    env: { PATH: `${folder.path}:/usr/bin:/bin`, FOSP_SESSION_FILE: `${folder.path}/session`, ...environment },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data: Buffer) => {
      output += data;
    });
  }
  const { promise, resolve } = Promise.withResolvers<number | null>();
  child.on('close', resolve);
  return { code: await promise, output };
}

async function startServer() {
  const folder = await temporaryDirectory();
  const server = await ServerProcess.start({ dataDirectory: folder.path });
  onTestFinished(async () => {
    await server[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });
  return server;
}

it('registers, creates, is told, stores a file and reads it', { timeout: PATIENCE }, async () => {
  const server = await startServer();
  const common = { FOSP_URL: server.url, DOMAIN: WONDERLAND };
  const { code, output } = await runTest({ ...common, REGISTRATION: 'open' });
  expect(output).toContain('was told, stored a file and read it');
  expect(output).toMatch(/The account helm-test-\d+ stays/);
  expect(code).toBe(0);

  await (await TestSession.register(server.url, `tester@${WONDERLAND}`)).close();
  const account = { TEST_USER: 'tester', TEST_PASSWORD: PASSWORD };
  const known = await runTest({ ...common, REGISTRATION: 'closed', ...account });
  expect(known.output).not.toContain('stays');
  expect(known.code).toBe(0);
  const wrong = await runTest({ ...common, REGISTRATION: 'closed', ...account, TEST_PASSWORD: 'wrong' });
  expect(wrong.code).not.toBe(0);
  const closed = await runTest({ ...common, REGISTRATION: 'closed' });
  expect(closed.output).toContain('test.existingSecret');
  expect(closed.code).toBe(1);
});

it('fails where no server is', { timeout: PATIENCE }, async () => {
  const { code } = await runTest({ FOSP_URL: 'ws://127.0.0.1:1', DOMAIN: WONDERLAND, REGISTRATION: 'open' });
  expect(code).not.toBe(0);
});
