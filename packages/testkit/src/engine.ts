/** The Docker engine, where one answers, for tests of what runs in containers. */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** Milliseconds that an engine may take to say that it is there. */
const ANSWER_TIMEOUT = 20_000;

/** Bytes of what a command says. */
const OUTPUT = 64 * 1024 * 1024;

/**
 * Is there an engine? The tests of `what` are left out where none answers, with a sentence that says so; unless the run says
 * that nothing may be left out (`FOSP_TEST_REQUIRE_INFRASTRUCTURE=1`): then this is true, and they fail.
 */
export function engineAnswers(what: string): boolean {
  // biome-ignore lint/style/noProcessEnv: tests have no configuration of their own.
  if (process.env['FOSP_TEST_REQUIRE_INFRASTRUCTURE'] === '1') {
    return true;
  }
  const answers = spawnSync('docker', ['info'], { stdio: 'ignore', timeout: ANSWER_TIMEOUT }).status === 0;
  if (!answers) {
    process.stderr.write(`The tests of ${what} are left out: no Docker engine answers here (\`docker info\`).\n`);
  }
  return answers;
}

/** Runs `docker` with these arguments; what it printed. Rejects with what it complained of. */
export async function docker(...args: string[]): Promise<string> {
  const { stdout } = await execute('docker', args, { maxBuffer: OUTPUT });
  return stdout.trim();
}

export interface Ended {
  readonly code: number | null;
  /** What it wrote to its standard output and error. */
  readonly output: string;
}

/** Runs a container to its end, and removes it: `--read-only`, the image, its arguments. */
export function dockerRun(...args: string[]): Promise<Ended> {
  const child = spawn('docker', ['run', '--rm', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const { promise, resolve, reject } = Promise.withResolvers<Ended>();
  let output = '';
  const take = (data: Buffer) => {
    output += data;
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  child.on('error', reject);
  child.on('close', (code) => resolve({ code, output }));
  return promise;
}

export interface Compose {
  /** Runs `docker compose` with these arguments; what it printed. */
  run(...args: string[]): Promise<string>;
  /** Ids of the containers of a service that run. */
  containers(service: string): Promise<string[]>;
}

/** `docker compose`, or `docker-compose` where that is what there is, on the repository's file as a project of its own. */
export function composeProject(name: string, environment: Readonly<Record<string, string>>): Compose {
  const [command, first] =
    spawnSync('docker', ['compose', 'version'], { stdio: 'ignore' }).status === 0
      ? (['docker', ['compose']] as const)
      : (['docker-compose', []] as const);
  const run = async (...args: string[]) => {
    const { stdout } = await execute(command, [...first, '--project-name', name, ...args], {
      cwd: ROOT,
      // biome-ignore lint/style/noProcessEnv: it needs to know where the engine is.
      env: { ...process.env, ...environment },
      maxBuffer: OUTPUT,
    });
    return stdout.trim();
  };
  return {
    run,
    containers: async (service) => (await run('ps', '--quiet', service)).split('\n').filter((id) => id !== ''),
  };
}

/** Our image: the one that `FOSP_IMAGE` names, else built from this checkout. */
export async function fospImage(): Promise<string> {
  // biome-ignore lint/style/noProcessEnv: tests have no configuration of their own.
  const given = process.env['FOSP_IMAGE'];
  if (given) {
    return given;
  }
  const image = 'fosp:local';
  await execute('docker', ['build', '--file', 'deploy/Dockerfile', '--tag', image, '.'], {
    cwd: ROOT,
    maxBuffer: OUTPUT,
  });
  return image;
}
