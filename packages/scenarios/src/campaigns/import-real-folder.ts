import { join } from 'node:path';
import { ALICE, BOB, ServerProcess } from '@fosp/testkit';
import { Cli } from '../cli.ts';
import { hashesOf } from '../folders.ts';

/** Imports a folder into alice's tree, shows bob one part of it, exports it again, and compares. */
export async function importRealFolder(
  folder: string,
  directory: string,
): Promise<{ counted: Readonly<Record<string, unknown>>; wrong: readonly string[] }> {
  await using server = await ServerProcess.start({ dataDirectory: join(directory, 'data') });
  const alice = new Cli(server.url, join(directory, 'alice.json'));
  const bob = new Cli(server.url, join(directory, 'bob.json'));
  await alice.succeed('register', 'alice');
  await bob.succeed('register', 'bob');

  const { value: imported, seconds: importSeconds } = await timed(() =>
    alice.run('import', folder, `${ALICE}/folder`, '--json'),
  );
  const report: { skipped: { path: string; reason: string }[] } = JSON.parse(imported.stdout);
  const { value: again } = await timed(() => alice.run('import', folder, `${ALICE}/folder`, '--json'));
  const wrong: string[] = [...(await whatBobSees(alice, bob))];

  const target = join(directory, 'target');
  const { value: exported, seconds: exportSeconds } = await timed(() =>
    alice.run('export', `${ALICE}/folder`, target, '--json'),
  );
  if (exported.code !== 0) {
    wrong.push(`export exited with ${exported.code}: ${exported.stderr}${exported.stdout}`);
  }
  const before = hashesOf(folder);
  const after = hashesOf(target);
  const skipped = new Set(report.skipped.map(({ path }) => path));
  let identical = 0;
  for (const [path, hash] of before) {
    if (after.get(path) === hash) {
      identical++;
    } else if (!skipped.has(folder + path)) {
      wrong.push(`${path} came back ${after.has(path) ? 'changed' : 'not at all'}`);
    }
  }
  return {
    counted: {
      imported: report,
      again: JSON.parse(again.stdout),
      importSeconds,
      exportSeconds,
      files: before.size,
      identical,
    },
    wrong,
  };
}

/** Nothing at all before; after the share exactly the shared folder. */
async function whatBobSees(alice: Cli, bob: Cli): Promise<string[]> {
  const wrong: string[] = [];
  const names = (await alice.succeed('ls', `${ALICE}/folder`)).trim().split('\n');
  await alice.succeed('share', `${ALICE}/folder/${names[0]}`, BOB);
  for (const name of names) {
    const { code } = await bob.run('get', `${ALICE}/folder/${name}`);
    if ((code === 0) !== (name === names[0])) {
      wrong.push(`bob's get of ${name} exits with ${code}`);
    }
  }
  return wrong;
}

async function timed<Value>(work: () => Promise<Value>): Promise<{ value: Value; seconds: number }> {
  const began = performance.now();
  const value = await work();
  return { value, seconds: Math.round((performance.now() - began) / 100) / 10 };
}
