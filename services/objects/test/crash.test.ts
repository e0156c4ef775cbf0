/** A process that is killed at any moment: what was acknowledged is there, nothing is half there, no event is lost. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { apply, type Line, type Model, stepOf, WORKERS } from './children/steps.ts';
import { ALICE, BOB, openWorld, type World } from './world.ts';

const CHILD = fileURLToPath(new URL('./children/writer-child.ts', import.meta.url));

/** Lets a writer run until it acknowledged this many steps, and kills it. */
async function killAfter(folder: string, seed: number, count: number): Promise<Line[]> {
  const child = spawn(process.execPath, [CHILD, folder, String(seed)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const lines: Line[] = [];
  let done = 0;
  for await (const text of createInterface({ input: child.stdout })) {
    // What a killed process wrote last may be cut.
    if (!text.endsWith('}')) {
      break;
    }
    const line: Line = JSON.parse(text);
    lines.push(line);
    done += line.kind === 'done' ? 1 : 0;
    if (done === count) {
      child.kill('SIGKILL');
    }
  }
  await exited;
  expect(done, 'the child ended by itself').toBeGreaterThanOrEqual(count);
  return lines;
}

/** Models by worker: before and after the step that was neither acknowledged nor prevented. */
function modelsOf(models: readonly Model[], lines: readonly Line[], seed: number): (readonly [Model, Model])[] {
  return models.map((model, worker) => {
    const steps = (kind: Line['kind']) =>
      lines.filter((line) => line.kind === kind && 'worker' in line && line.worker === worker);
    const play = (number: number) => {
      const values = { data: `${seed} ${number}`, key: `${seed} ${worker} ${number}` };
      return apply(model, stepOf(seed, worker, number), values);
    };
    for (const line of steps('done')) {
      if (line.kind === 'done') {
        expect(play(line.number), `${JSON.stringify(line)}`).toBe(line.status === 200);
      }
    }
    const before = new Map(model);
    if (steps('begin').length > steps('done').length) {
      play(steps('done').length);
    }
    return [before, model];
  });
}

async function seen(world: World, worker: number, paths: Iterable<string>): Promise<Model> {
  const tree = worker % 2 === 0 ? ALICE : BOB;
  const model: Model = new Map();
  for (const path of paths) {
    const id = `${tree}/w${worker}${path}`;
    const { status, body } = await world.select(tree, id);
    if (status === 200) {
      const file = (await world.openFile(tree, id)).fields['key'];
      model.set(path, { data: JSON.parse(body).data, file });
    }
  }
  return model;
}

/** What does not fit together in the database. */
function faults(folder: string): unknown[] {
  using database = new DatabaseSync(join(folder, 'objects.sqlite'));
  const path = "CASE parent WHEN '.' THEN '' ELSE parent || '/' || name END";
  const queries = [
    "SELECT * FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
    `SELECT 'orphan', ${path} FROM objects AS o WHERE parent <> '.' AND NOT EXISTS
      (SELECT 1 FROM (SELECT tree, ${path} AS path FROM objects) AS p WHERE p.tree = o.tree AND p.path = o.parent)`,
    "SELECT 'file without attachment', name FROM objects WHERE (file IS NULL) <> (attachment IS NULL)",
    "SELECT 'file not live', file FROM objects WHERE file IS NOT NULL AND file NOT IN (SELECT key FROM files WHERE state = 'live')",
    "SELECT 'nobody''s file', key FROM files WHERE state = 'live' AND key NOT IN (SELECT file FROM objects WHERE file IS NOT NULL)",
    `SELECT 'subscribers', ${path} FROM objects AS o WHERE subscribers <>
      (SELECT count(*) FROM subscriptions AS s WHERE s.tree = o.tree AND s.path = ${path})`,
    'SELECT tree, version FROM objects AS o WHERE version > (SELECT sequence FROM trees AS t WHERE t.tree = o.tree)',
  ];
  return queries.flatMap((query) => database.prepare(query).all());
}

it('F29 F40 F55 survives kill -9, again and again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fosp-crash-'));
  const tally = { acknowledged: 0, pending: 0, events: 0, relayedLate: 0 };
  try {
    let models: Model[] = Array.from({ length: WORKERS }, () => new Map());
    // Killed until it happened at every kind of moment; a lucky machine takes more than a few.
    const isEnough = () => Math.min(tally.pending, tally.relayedLate) > 0;
    for (let seed = 1; seed <= 6 || (seed <= 60 && !isEnough()); seed++) {
      const lines = await killAfter(folder, seed, 60 * Math.min(seed, 6));
      const both = modelsOf(models, lines, seed);
      await using world = await openWorld({ folder, users: [] });
      models = [];
      for (const [worker, [before, after]] of both.entries()) {
        const actual = await seen(world, worker, ['/a', '/a/b', '/a/b/c', '/d']);
        expect([before, after], `worker ${worker} of seed ${seed}`).toContainEqual(actual);
        models.push(actual);
      }
      await world.service.settled();
      const early = lines.flatMap((line) => (line.kind === 'event' ? [`${line.tree} ${line.sequence}`] : []));
      const late = world.changes.map(({ tree, sequence }) => `${tree} ${sequence}`);
      const events = new Set([...early, ...late]);
      const changes = lines.flatMap((line) =>
        line.kind === 'done' && line.status === 200 && line.version > 0 ? [`${line.tree} ${line.version}`] : [],
      );
      // An UPDATE that changed nothing has the version of the object as it was, and so an event of an earlier run.
      const missing = changes.filter((change) => !events.has(change));
      expect(missing.filter((change) => !relayedBefore.has(change))).toEqual([]);
      for (const event of events) {
        relayedBefore.add(event);
      }
      tally.acknowledged += changes.length;
      tally.events += events.size;
      tally.relayedLate += late.length;
      tally.pending += both.filter(
        ([before, after]) => JSON.stringify([...before]) !== JSON.stringify([...after]),
      ).length;
      await world.close();
      expect(faults(folder)).toEqual([]);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  expect(tally.acknowledged).toBeGreaterThan(100);
  expect(tally.events).toBeGreaterThan(100);
  expect(tally.pending).toBeGreaterThan(0);
  expect(tally.relayedLate).toBeGreaterThan(0);
});

const relayedBefore = new Set<string>();
