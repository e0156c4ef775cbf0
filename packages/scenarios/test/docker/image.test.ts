/** The image, as anybody runs it: on a read-only file system, without rights, asked for its health, told to stop. */
import { docker, dockerRun, engineAnswers, fospImage, TestSession } from '@fosp/testkit';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

const BUILD_PATIENCE = 600_000;
const PATIENCE = 120_000;

const GUARDED = ['--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'];

const waiting = { timeout: PATIENCE, interval: 250 };

describe.skipIf(!engineAnswers('the image'))('the image', { timeout: PATIENCE }, () => {
  const volume = `fosp-test-${process.pid}-${Date.now()}`;
  const containers: string[] = [];
  let image = '';

  beforeAll(async () => {
    image = await fospImage();
    await docker('volume', 'create', volume);
  }, BUILD_PATIENCE);

  afterAll(async () => {
    await docker('rm', '--force', '--volumes', ...containers);
    await docker('volume', 'rm', volume);
  }, PATIENCE);

  const start = async (...args: string[]) => {
    const id = await docker('run', '--detach', ...GUARDED, ...args);
    containers.push(id);
    return id;
  };

  const inspect = (id: string, format: string) => docker('inspect', '--format', format, id);

  it('runs standalone where nothing but its volume can be written, keeps what it has, and ends with 0', async () => {
    const run = async () => {
      const id = await start(
        ...['--volume', `${volume}:/data`, '--publish', '127.0.0.1::1337', '--health-interval', '1s', image],
      );
      await vi.waitFor(async () => {
        expect(await inspect(id, '{{.State.Health.Status}}')).toBe('healthy');
      }, waiting);
      return { id, url: `ws://${await docker('port', id, '1337/tcp')}` };
    };
    const stop = async (id: string) => {
      await docker('stop', '--time', '60', id);
      return Number(await inspect(id, '{{.State.ExitCode}}'));
    };

    const first = await run();
    const alice = await TestSession.register(first.url, 'alice@localhost');
    await alice.succeed('CREATE', 'alice@localhost/notes', { body: { data: 'tea at four' } });
    expect(await docker('exec', first.id, 'id', '--user')).toBe('1000');
    expect(await docker('exec', first.id, 'fosp', '--version')).toMatch(/^\d+\.\d+\.\d+$/);
    expect(await stop(first.id)).toBe(0);
    expect((await alice.wire.closed).code).toBe(1012);
    expect(await docker('logs', first.id)).toContain('"msg":"drained"');

    const second = await run();
    const again = await TestSession.logIn(second.url, 'alice@localhost');
    expect(await again.json('SELECT', 'alice@localhost/notes')).toMatchObject({ data: 'tea at four' });
    await again.close();
    expect(await stop(second.id)).toBe(0);
  });

  it('says of no root, so that Kubernetes may run it as such', async () => {
    expect(await docker('image', 'inspect', '--format', '{{.Config.User}}', image)).toBe('1000:1000');
  });

  it.each([
    [['nothing-like-this'], 'There is no program "nothing-like-this"; there are standalone, gateway, objects'],
    [['gateway', '--port=1'], 'gateway takes no arguments: its settings are environment variables'],
    [['__proto__'], 'There is no program "__proto__"'],
  ])('refuses the arguments %j', async (args, sentence) => {
    const { code, output } = await dockerRun(...GUARDED, image, ...args);
    expect(output).toContain(sentence);
    expect(code).toBe(2);
  });

  it.each([
    ['gateway', 'FOSP_NATS_URL: is not set'],
    ['migrate', 'FOSP_POSTGRES_URL: is not set'],
    ['standalone', 'the data folder /data cannot be used'],
    ['healthcheck', 'the internal port 9090'],
  ])('%s ends with 1 and says what it lacks', async (program, sentence) => {
    // Without its volume there is no folder that standalone may write to.
    const { code, output } = await dockerRun(...GUARDED, image, program);
    expect(output).toContain(sentence);
    expect(code).toBe(1);
  });

  it('ends on a signal that its program does not listen to, though it is the first process', async () => {
    const id = await start('--interactive', image, 'fosp', 'register', 'alice', '--url', 'ws://127.0.0.1:1');
    // What comes before the program has begun to listen is lost, as it is to any first process: asked until it hears.
    await vi.waitFor(async () => {
      await docker('kill', '--signal', 'TERM', id).catch(() => '');
      expect(await inspect(id, '{{.State.Status}}')).toBe('exited');
    }, waiting);
    expect(Number(await inspect(id, '{{.State.ExitCode}}'))).toBe(143);
  });
});
